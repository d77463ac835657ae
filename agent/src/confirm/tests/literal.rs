//! The literal form: which origins get it, inside which pages, and what a page gets that is not known.

use super::*;

fn unattested(format: ProofFormat, origin: &str) -> ConfirmationRequest {
    ConfirmationRequest {
        origin: origin.parse().unwrap(),
        origin_attested: false,
        ..request(format)
    }
}

const ESIA: &str = "https://esia.gosuslugi.ru";

#[tokio::test]
async fn a_page_that_is_not_known_gets_the_literal_form_of_a_named_origin_alone() {
    for format in ProofFormat::X509 {
        match Confirmation::parse(unattested(format, ESIA)) {
            Ok(_) => assert_eq!(format, ProofFormat::CmsChallenge),
            Err(refused) => assert!(
                matches!(&refused, Error::InvalidField("origin_attested", why) if why.contains(format.name())),
                "{refused:?}"
            ),
        }
    }
    let mut embedded = unattested(ProofFormat::CmsChallenge, ESIA);
    embedded.top_origin = Some("https://news.example".parse().unwrap());
    let refused = Confirmation::parse(embedded).unwrap_err();
    assert!(matches!(refused, Error::InvalidField("top_origin", _)));

    let world = World::new(vec![token()], vec![RIGHT]);
    let elsewhere = Confirmation::parse(unattested(ProofFormat::CmsChallenge, crate::world::ORIGIN)).unwrap();
    let why = elsewhere.allowed(&world.app).unwrap_err();
    assert!(matches!(why, Error::OriginNotAllowed(_)));
    elsewhere.refuse(&world.app, &world.client(), why).await;

    let asked = unattested(ProofFormat::CmsChallenge, ESIA);
    Confirmation::parse(asked.clone()).unwrap().allowed(&world.app).unwrap();
    let ending = world.confirm(asked).await;
    assert_eq!(ending.result.unwrap().format(), ProofFormat::CmsChallenge);
    assert!(!consents(&world)[0].request.attested, "the person is told");
    let history = world.history();
    assert_eq!(world.outcomes(), ["origin_not_allowed", "done"]);
    assert!(
        history.iter().all(|entry| !entry.record.origin_attested),
        "the history keeps it"
    );
    let told = world.app.history.for_client(&world.caller.id, 10).unwrap();
    assert!(told.iter().all(|entry| !entry.origin_attested), "{told:?}");
}

#[tokio::test]
async fn the_literal_form_is_refused_and_remembered_for_other_origins() {
    let world = World::new(vec![token()], vec![]);
    let confirmation = Confirmation::parse(request(ProofFormat::CmsChallenge)).unwrap();
    let why = confirmation.allowed(&world.app).unwrap_err();
    let refused = confirmation.refuse(&world.app, &world.client(), why).await;
    assert!(matches!(refused, Error::OriginNotAllowed(_)));
    assert_eq!(world.outcomes(), ["origin_not_allowed"]);
}

#[tokio::test]
async fn the_literal_form_is_refused_inside_a_page_that_is_not_named_too() {
    let config = Config {
        literal: crate::config::LiteralConfig {
            origins: LiteralOrigins::new(vec![crate::world::ORIGIN.parse().unwrap()]),
        },
        ..Config::default()
    };
    let world = World::with(vec![token()], Person::new(vec![]), config);
    let framed = |format| {
        let mut request = request(format);
        request.top_origin = Some("https://around.example".parse().unwrap());
        Confirmation::parse(request).unwrap()
    };
    let refused = framed(ProofFormat::CmsChallenge).allowed(&world.app).unwrap_err();
    assert!(matches!(refused, Error::OriginNotAllowed(why) if why.contains("https://around.example")));
    framed(ProofFormat::Cms).allowed(&world.app).unwrap();
}
