//! Proofs of the format `uec`: what a universal electronic card (УЭК) proves of itself.
//!
//! No specification of the card was published; the rules here are those of PROTOCOL.md section 12, and what was
//! inferred and never seen on a card is marked `[INF]` there and here, and stands in constants, so that a card can correct it:
//! the form of the message in `message`, the types of the chain in `CHAIN`, the padding of a SNILS in `certificate`.
//!
//! Read `policy` for what a portal may take, `card` for what comes out; then `tlv`, `certificate`, `suite`, `message`,
//! `data`, `holder` for how.

mod card;
mod certificate;
mod data;
mod holder;
mod message;
mod policy;
mod suite;
mod tlv;

use plugin_protocol::encoding::from_base64;
use plugin_protocol::proof::UecProof;
use plugin_protocol::uec::UEC_PROOF_VERSION;

pub use self::card::VerifiedCard;
use self::certificate::{CardCertificate, Type};
pub use self::data::UnsignedCardData;
pub use self::holder::{HolderPath, HolderSignature};
use self::message::Message;
use self::policy::Root;
pub use self::policy::UecPolicy;
pub use self::suite::{ByteOrder, UecSuite};
use crate::error::{Place, VerifyError};
use crate::format::check_statement;
use crate::verify::Context;

/// The types of the certificates from the card upwards, without the root, which is of type 01 [INF: the chain of
/// identification applications was never seen whole].
const CHAIN: [(Type, Place); 2] = [(Type::Application, Place::Signer), (Type::Issuer, Place::Intermediate)];

/// Verifies a proof: form and bindings first, then signatures from the root down to the card's, then the holder's.
pub(crate) fn verify(proof: &UecProof, context: &Context<'_>) -> Result<VerifiedCard, VerifyError> {
    let rules = context.policy.rules().universal_cards.as_ref();
    let rules = rules.ok_or(VerifyError::FormatNotAllowed("uec"))?;
    if proof.version != UEC_PROOF_VERSION {
        return Err(VerifyError::Malformed(
            "a version of the uec proof that is not known here",
        ));
    }
    check_number_of_certificates(proof, context)?;
    let certificate = decode(&proof.certificate)?;
    let signed = check_statement(&decode(&proof.statement)?, &certificate, context)?;

    let chain = read_chain(proof, &certificate, rules)?;
    let card = &chain[0];
    let suite = card.suite();
    let bytes = decode(&proof.message)?;
    let message = Message::read(&bytes, proof.application)?;
    if message.statement_hash() != suite.digest(&decode(&proof.statement)?) {
        return Err(VerifyError::ContentMismatch);
    }
    if let Some(terminal) = &proof.terminal {
        let terminal = read(&decode(terminal)?, Type::Terminal, Place::Terminal, proof)?;
        message.check_terminal(&terminal)?;
    }
    let (pan, snils) = card
        .holder()
        .map_err(|what| VerifyError::CertificateEncoding(Place::Signer, what))?;

    let root = check_chain(&chain, rules, context)?;
    context.work.check_signature()?;
    if !card.key().verifies(&message.signed(suite), &decode(&proof.cryptogram)?) {
        return Err(VerifyError::SignatureInvalid);
    }
    let data = proof.data.as_deref().map(decode).transpose()?;
    let data = data.map(|data| UnsignedCardData::read(&data, &snils)).transpose()?;
    let holder = holder(proof, message.statement_hash(), suite, &snils, rules, context)?;
    let holder_test = matches!(
        holder.as_ref().map(HolderSignature::path),
        Some(HolderPath::Valid { test: true, .. })
    );

    let above = chain[1..].iter().chain([&root.certificate]);
    let last_days = chain
        .iter()
        .chain([&root.certificate])
        .map(CardCertificate::valid_until);
    Ok(VerifiedCard {
        pan,
        snils,
        application: proof.application,
        suite,
        path: above.map(|certificate| certificate.bytes().to_vec()).collect(),
        valid_until: last_days.min().expect("a chain has a card"),
        names_terminal: message.names_terminal(),
        certificate: chain[0].clone(),
        data,
        holder,
        signed,
        test: root.test || holder_test,
    })
}

fn decode(text: &str) -> Result<Vec<u8>, VerifyError> {
    from_base64(text).ok_or(VerifyError::Malformed("a member of the uec proof is not base64"))
}

fn check_number_of_certificates(proof: &UecProof, context: &Context<'_>) -> Result<(), VerifyError> {
    let holders = proof.holder.as_ref().map_or(0, |holder| holder.certificates.len());
    let number = 1 + proof.issuers.len() + usize::from(proof.terminal.is_some()) + holders;
    if number > context.work.budget().certificates {
        return Err(VerifyError::BudgetExceeded("certificates"));
    }
    Ok(())
}

/// A certificate of this type, and of the proof's version.
fn read(bytes: &[u8], kind: Type, place: Place, proof: &UecProof) -> Result<CardCertificate, VerifyError> {
    let certificate = CardCertificate::read(bytes, place)?;
    if !certificate.is(kind) {
        return Err(VerifyError::CertificateEncoding(
            place,
            "not of the type that belongs here",
        ));
    }
    if certificate.application() != proof.application {
        return Err(VerifyError::CertificateEncoding(
            place,
            "of another version than the card's application",
        ));
    }
    Ok(certificate)
}

/// The card's certificate and its issuer's; the root's own, where it was sent along, must be one that is trusted.
fn read_chain(proof: &UecProof, card: &[u8], rules: &UecPolicy) -> Result<Vec<CardCertificate>, VerifyError> {
    let mut sent = vec![card.to_vec()];
    for issuer in &proof.issuers {
        sent.push(decode(issuer)?);
    }
    let is_root = |bytes: &Vec<u8>| rules.roots.iter().any(|root| root.certificate.bytes() == &bytes[..]);
    if sent.len() > CHAIN.len() && sent.last().is_some_and(is_root) {
        sent.pop();
    }
    if sent.len() != CHAIN.len() {
        return Err(VerifyError::UnknownIssuer);
    }
    let links = sent.iter().zip(CHAIN);
    let chain: Result<Vec<_>, _> = links
        .map(|(bytes, (kind, place))| read(bytes, kind, place, proof))
        .collect();
    let chain = chain?;
    if chain[0].suite() == UecSuite::Rsa && !rules.rsa {
        return Err(VerifyError::AlgorithmNotAllowed(UecSuite::Rsa.name().to_owned()));
    }
    for (certificate, (_, place)) in chain.iter().zip(CHAIN) {
        if certificate.suite() != chain[0].suite() {
            return Err(VerifyError::CertificateAlgorithm(place));
        }
    }
    Ok(chain)
}

/// The root that the chain leads to; every signature on the way verifies, and every certificate is valid now.
fn check_chain<'a>(
    chain: &[CardCertificate],
    rules: &'a UecPolicy,
    context: &Context<'_>,
) -> Result<&'a Root, VerifyError> {
    let issuer = chain.last().expect("a chain has a card");
    let mut found = None;
    for root in &rules.roots {
        let own = &root.certificate;
        if own.suite() == issuer.suite() && own.application() == issuer.application() {
            context.work.check_signature()?;
            if issuer.is_signed_by(own.key()) {
                found = Some(root);
                break;
            }
        }
    }
    let root = found.ok_or(VerifyError::UnknownIssuer)?;
    for (pair, (_, place)) in chain.windows(2).zip(CHAIN) {
        context.work.check_signature()?;
        if !pair[0].is_signed_by(pair[1].key()) {
            return Err(VerifyError::CertificateSignature(place));
        }
    }
    for (certificate, (_, place)) in chain.iter().zip(CHAIN) {
        certificate.check_validity(context.now, place)?;
    }
    root.certificate.check_validity(context.now, Place::Anchor)?;
    Ok(root)
}

fn holder(
    proof: &UecProof,
    hash: &[u8],
    suite: UecSuite,
    snils: &str,
    rules: &UecPolicy,
    context: &Context<'_>,
) -> Result<Option<HolderSignature>, VerifyError> {
    match &proof.holder {
        None if rules.holder_signature => Err(VerifyError::HolderSignature("it is demanded here, and not there")),
        None => Ok(None),
        Some(holder) => {
            let card = (proof.application, suite);
            HolderSignature::verify(holder, hash, card, snils, rules.holder_signature, context).map(Some)
        }
    }
}
