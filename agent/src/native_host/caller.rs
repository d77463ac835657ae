//! The names browsers know the host by, and which extensions may call each.

use std::ffi::OsString;
use std::str::FromStr;

/// A host's name: the `name` of a manifest, and the speech that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `eu.webeid`: the official Web eID extension.
    WebEid,
    /// `eid_agent.plugin`: our own extension.
    Plugin,
    /// `ru.rtlabs.ifcplugin`: the official Gosuslugi extension. Browsers are told of it on request only.
    Ifc,
}

impl Host {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebEid, Self::Plugin, Self::Ifc];

    /// The name in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebEid => "eu.webeid",
            Self::Plugin => "eid_agent.plugin",
            Self::Ifc => "ru.rtlabs.ifcplugin",
        }
    }

    /// The origins of the Chromium extensions that may call: `allowed_origins`.
    pub const fn chromium_origins(self) -> &'static [&'static str] {
        match self {
            // In Chrome's store and in Edge's.
            Self::WebEid => &[
                "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/",
                "chrome-extension://gnmckgbandlkacikdndelhfghdejfido/",
            ],
            Self::Plugin => &["chrome-extension://hjfdfdakhehfniplhfahbkpmaihikgao/"],
            Self::Ifc => &["chrome-extension://pbefkdcndngodfeigfdgiodgnmbgcfha/"],
        }
    }

    /// The ids of the Firefox extensions that may call: `allowed_extensions`.
    pub const fn firefox_ids(self) -> &'static [&'static str] {
        match self {
            Self::WebEid => &["{e68418bc-f2b0-4459-a9ea-3e72b6751b07}"],
            Self::Plugin => &["{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}"],
            // So it is spelt: with an "a" where the other has an "e".
            Self::Ifc => &["pbafkdcnd@ngodfeigfdgiodgnmbgcfha.ru"],
        }
    }

    /// Refuses an extension that the browser's arguments name and that may not call.
    ///
    /// Chromium gives the extension's origin, Firefox the manifest's path and the extension's
    /// id. Browsers in a sandbox (Snap, Flatpak) start the host through a portal that gives
    /// nothing; then the manifest's own list is all there is.
    pub fn check_caller(self, arguments: &[OsString]) -> Result<(), String> {
        let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        if let [manifest, id] = &texts[..]
            && manifest.ends_with(".json")
        {
            return self.check_named(id);
        }
        let mut named = texts.iter().filter(|text| names_an_extension(text));
        named.try_for_each(|text| self.check_named(text))
    }

    fn check_named(self, caller: &str) -> Result<(), String> {
        let allowed = self.chromium_origins().contains(&caller) || self.firefox_ids().contains(&caller);
        match allowed {
            true => Ok(()),
            false => Err(format!("this extension may not call {}", self.name())),
        }
    }
}

/// An extension's origin (`scheme://…`) or a Firefox id (a UUID in braces, or `name@place`).
fn names_an_extension(text: &str) -> bool {
    text.contains("://") || text.starts_with('{') || (text.contains('@') && !text.contains('/'))
}

impl FromStr for Host {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|host| host.name() == name);
        found.ok_or_else(|| format!("no such host; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(host: Host, arguments: &[&str]) -> bool {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        host.check_caller(&arguments).is_ok()
    }

    #[test]
    fn only_the_hosts_own_extensions_may_call() {
        let manifest = "/usr/lib/mozilla/native-messaging-hosts/eu.webeid.json";
        for host in Host::ALL {
            assert_eq!(host.name().parse(), Ok(host));
            let other = Host::ALL.into_iter().find(|other| *other != host).unwrap();
            for id in host.chromium_origins() {
                assert!(check(host, &[id]));
                assert!(check(host, &[id, "--parent-window=0"]));
                assert!(!check(other, &[id]), "{id} is not of {other:?}");
                assert!(!check(host, &[id.trim_end_matches('/')]), "another spelling");
            }
            for id in host.firefox_ids() {
                assert!(check(host, &[manifest, id]));
                assert!(!check(other, &[manifest, id]));
            }
            for stranger in [
                &["chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"][..],
                &["moz-extension://78909f39-7a2f-4bab-b6fd-1a78fa9d41dc/"],
                &[manifest, "evil"],
                &[manifest, "evil@example.org"],
                &["evil@example.org"],
                &["{00000000-0000-0000-0000-000000000000}"],
                &[
                    host.chromium_origins()[0],
                    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
                ],
            ] {
                assert!(!check(host, stranger), "{stranger:?}");
            }
            for nobody in [&[][..], &["--parent-window=0"], &["unused-argument"]] {
                assert!(check(host, nobody), "{nobody:?} names nobody");
            }
        }
        assert!("eu.webeid2".parse::<Host>().is_err());
    }
}
