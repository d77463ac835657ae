//! The same with a GOST key, as qualified certificates have: what ESIA is known to take.

use fixtures::openssl::OpenSsl;
use plugin_protocol::encoding::from_base64;
use system_tests::browser::Daemons;
use system_tests::pinentry::ScriptedPerson;

use crate::page::Page;
use crate::quiet;

#[test]
fn a_gost_key_signs_the_challenge_and_openssls_engine_agrees() {
    let openssl = OpenSsl::with_gost();
    for (kind, oid) in [("gost256", "1.2.643.7.1.1.1.1"), ("gost512", "1.2.643.7.1.1.1.2")] {
        let setup = quiet().software().configure(&format!("software.keys = [{kind:?}]\n"));
        let person = ScriptedPerson::new(&setup.folder().join("person"), &[]);
        let setup = setup.pinentry(&person.program());
        let _daemons = Daemons::of(&setup);
        let mut page = Page::load(&setup);
        // One certificate, or the first of several.
        person.will_answer(&["yes", "yes"]);
        let shown = page.certificates().expect("certificates");
        assert_eq!(
            shown[0].item["cert_sign_alg"], oid,
            "the key's algorithm, for which pages have a name"
        );
        let root = std::fs::read(setup.state().join("software-token/gost-root.pem")).expect("the root");
        openssl.write("root.pem", root);
        let challenge = "0123456789abcdef".repeat(4);
        for (sign_type, detached) in [(3, false), (4, true)] {
            person.will_answer(&["pin 1234"]);
            let signature = page
                .sign(&shown[0].container, &challenge, sign_type)
                .unwrap_or_else(|code| panic!("{code}: {}", person.shown()));
            openssl.write("signed.der", from_base64(&signature).expect("base64"));
            openssl.write("challenge", &challenge);
            let content = if detached { "-content challenge" } else { "" };
            openssl.run(&format!(
                "cms -verify -cades -binary -inform DER -in signed.der {content} -CAfile root.pem -purpose any -out content"
            ));
            assert_eq!(openssl.read("content"), challenge.as_bytes());
        }
        page.leave();
    }
}
