//! What a verified proof proves, what is only somebody's word, and what limits both.

use std::fmt;

use crate::revocation::CertificateStatus;

/// What a verified proof is worth: three lists, none of which says more than is so.
///
/// ```
/// use portal::assurance::{Assurance, Proven};
///
/// /// A portal that lets nobody in on the agent's word alone.
/// fn is_enough(assurance: &Assurance) -> bool {
///     assurance.proves(Proven::CertificateKey) || assurance.proves(Proven::HolderSignature)
/// }
/// # assert!(!is_enough(&Assurance::default()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assurance {
    proven: Vec<Proven>,
    told: Vec<Told>,
    limits: Vec<Limit>,
}

macro_rules! facts {
    ($(#[$about:meta])* $kind:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $kind { $($(#[doc = $doc])+ $variant,)+ }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// A stable name for logs and clients.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

facts! {
    /// Follows from signatures and certificates under roots that the portal chose.
    Proven {
        /// The card is one that its issuer made under a trusted root, and it signed for this portal, challenge and time.
        CardAuthentic = "card_authentic",
        /// The card's issuer certified the SNILS of its holder.
        CardSnils = "card_snils",
        /// Whoever answered holds the key of the certificate and signed for this challenge with it.
        CertificateKey = "certificate_key",
        /// The certificate leads to a trusted authority and is valid now; it certifies the names and numbers in it.
        CertificatePath = "certificate_path",
        /// The holder signed with PIN2, by a certificate that leads to a trusted authority and names the card's SNILS.
        HolderSignature = "holder_signature",
    }
}

facts! {
    /// Is so if the agent on the person's computer says the truth.
    Told {
        /// Names and date of birth were read from the card; no signature covers them.
        CardData = "card_data",
        /// The card was given the right PIN1; what it signs does not say so.
        HolderPin = "holder_pin",
        /// A signature came along whose certificate leads to nobody known here, or does not name the card's SNILS.
        HolderSignature = "holder_signature_unknown",
        /// The card was read by the terminal that it names; nobody looked at who certified that terminal.
        Terminal = "terminal",
    }
}

facts! {
    /// Makes less of it.
    Limit {
        /// No service says any more whether a card was lost, stolen or blocked.
        CardBlockingUnknown = "card_blocking_unknown",
        /// It was signed with GOST R 34.10-2001, whose use for signatures ended with 2019.
        EndedGost2001 = "ended_gost_2001",
        /// It was signed with RSA and SHA-1, of which collisions are known; its key may have 1024 bits.
        EndedRsaSha1 = "ended_rsa_sha1",
        /// No specification of these cards was published and no real one was tried: parts of the form are inferred.
        FormNeverSeen = "form_never_seen",
        /// The programme of these cards ended on 1 January 2017, and the certificates of their signatures were revoked.
        ProgrammeEnded = "programme_ended",
        /// Whether a certificate is revoked was not looked at, or could not be told.
        RevocationUnknown = "revocation_unknown",
        /// It ends at a root of tests: this proves no person.
        Test = "test",
    }
}

impl Assurance {
    /// What is proven.
    pub fn proven(&self) -> &[Proven] {
        &self.proven
    }

    /// Whether this is proven.
    pub fn proves(&self, fact: Proven) -> bool {
        self.proven.contains(&fact)
    }

    /// What the agent says.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// What limits it.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    pub(crate) fn prove(&mut self, fact: Proven) {
        self.proven.push(fact);
    }

    pub(crate) fn tell(&mut self, fact: Told) {
        self.told.push(fact);
    }

    pub(crate) fn limit(&mut self, fact: Limit) {
        self.limits.push(fact);
    }

    /// A limit, unless every status is known and good.
    pub(crate) fn limit_revocation(&mut self, statuses: &[CertificateStatus]) {
        let unknown = |status| matches!(status, &CertificateStatus::NotChecked | &CertificateStatus::Unknown);
        if statuses.iter().any(unknown) {
            self.limit(Limit::RevocationUnknown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_every_fact_has_a_sentence() {
        let names = |all: &[(&'static str, &'static str)]| {
            assert!(all.iter().map(|(name, _)| name).is_sorted());
            assert!(all.iter().all(|(_, text)| text.ends_with('.') && text.is_ascii()));
        };
        names(
            &Proven::ALL
                .iter()
                .map(|fact| (fact.name(), fact.text()))
                .collect::<Vec<_>>(),
        );
        names(
            &Told::ALL
                .iter()
                .map(|fact| (fact.name(), fact.text()))
                .collect::<Vec<_>>(),
        );
        names(
            &Limit::ALL
                .iter()
                .map(|fact| (fact.name(), fact.text()))
                .collect::<Vec<_>>(),
        );
    }
}
