//! `eid-portal`: the reference portal.
//!
//! Prints `listening on http://ADDRESS` on standard output when it is ready, and
//! ends cleanly on SIGTERM and Ctrl-C.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use plugin_protocol::{Origin, ProofFormat};
use portal::policy::{LeftOut, PolicyBuilder};
use portal::reference::account::Accounts;
use portal::reference::{App, router};
use portal::{Policy, QualifiedDemand, Revocation, TrustList, UecPolicy};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

type Failure = Box<dyn std::error::Error>;

/// The reference portal: issues challenges and verifies proofs.
#[derive(Debug, Parser)]
#[command(name = "eid-portal", version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The origin browsers reach this portal at; plugins take https://… and http://localhost:PORT
    /// [default: http://ADDRESS, for programs]
    #[arg(long)]
    origin: Option<Origin>,
    /// A PEM file of roots whose certificates prove who a person is
    #[arg(long, value_name = "PEM")]
    trust_anchor: Vec<PathBuf>,
    /// A PEM file of intermediate authorities
    #[arg(long, value_name = "PEM")]
    intermediate: Vec<PathBuf>,
    /// A PEM file of test roots: accepted, and marked "test" in the verdict
    #[arg(long, value_name = "PEM")]
    test_root: Vec<PathBuf>,
    /// The state's list of accredited authorities, XML: those in force are trusted
    #[arg(long, value_name = "XML")]
    trust_list: Option<PathBuf>,
    /// The same, made for tests: marked "test" in the verdict
    #[arg(long, value_name = "XML")]
    test_trust_list: Option<PathBuf>,
    /// A root of universal electronic cards (УЭК), a CV certificate (binary); repeatable. Without one no card is taken
    #[arg(long, value_name = "FILE")]
    uec_root: Vec<PathBuf>,
    /// The same for test cards: accepted, and marked "test" in the verdict
    #[arg(long, value_name = "FILE")]
    uec_test_root: Vec<PathBuf>,
    /// The holder of such a card must sign, with PIN2, by a certificate that leads to a trust anchor
    #[arg(long)]
    uec_holder_signature: bool,
    /// Take such cards with RSA and SHA-1 too, which can be forged
    #[arg(long)]
    uec_rsa: bool,
    /// Whether the certificate must be a qualified one
    #[arg(long, value_enum, default_value_t = Qualified::Off)]
    qualified: Qualified,
    /// A proof format to accept; repeatable [default: web-eid:1.0, jws and cms; cms-challenge binds no origin]
    #[arg(long, value_name = "NAME")]
    format: Vec<ProofFormat>,
    /// Whether certificates must be known not to be revoked
    #[arg(long, value_enum, default_value_t = RevocationMode::Off)]
    revocation: RevocationMode,
    /// A CRL, DER; repeatable
    #[arg(long, value_name = "DER")]
    crl: Vec<PathBuf>,
    /// The accounts of the page, a JSON array [default: a demo with the software token's person]
    #[arg(long, value_name = "JSON")]
    accounts: Option<PathBuf>,
    /// Writes the address to this file too when ready
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

/// What is demanded of revocation evidence.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RevocationMode {
    /// Not looked at
    Off,
    /// Certificates known to be revoked are refused
    BestEffort,
    /// Certificates must be known to be good
    Required,
}

/// How much of a qualified certificate is demanded.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Qualified {
    /// The verdict says what there is
    Off,
    /// It must claim to be one, in the form of order 795
    Claimed,
    /// And its authority must be accredited by the trust list
    Accredited,
}

impl From<Qualified> for QualifiedDemand {
    fn from(demand: Qualified) -> Self {
        match demand {
            Qualified::Off => Self::Nothing,
            Qualified::Claimed => Self::Claimed,
            Qualified::Accredited => Self::Accredited,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eid-portal: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let policy = policy(&arguments)?;
    let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
        format!(
            "cannot listen on {}: {error}; --listen takes another address",
            arguments.listen
        )
    })?;
    let address = format!("http://{}", listener.local_addr()?);
    let origin = match arguments.origin {
        Some(origin) => origin,
        None => address
            .parse()
            .map_err(|_| format!("{address} is no loopback address, so browsers need --origin https://…"))?,
    };
    let mut app = App::new(origin, policy);
    if let Some(file) = &arguments.accounts {
        app.accounts = accounts(file)?;
    }
    let mut ends = signal(SignalKind::terminate())?;
    announce(&address, arguments.ready_file.as_deref())?;
    axum::serve(listener, router(app))
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = ends.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;
    Ok(())
}

fn accounts(file: &Path) -> Result<Accounts, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| in_file(file, error))?;
    Accounts::from_json(&text).map_err(|error| in_file(file, error))
}

fn announce(address: &str, file: Option<&Path>) -> Result<(), Failure> {
    if let Some(file) = file {
        std::fs::write(file, format!("{address}\n")).map_err(|error| in_file(file, error))?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "listening on {address}")?;
    Ok(out.flush()?)
}

fn policy(arguments: &Arguments) -> Result<Policy, Failure> {
    let listed = arguments.trust_list.is_some() || arguments.test_trust_list.is_some();
    if matches!(arguments.qualified, Qualified::Accredited) && !listed {
        let why = "--qualified accredited accepts nobody without the list of accredited authorities; \
                   give --trust-list (the XML that e-trust.gosuslugi.ru publishes) or --test-trust-list";
        return Err(why.into());
    }
    let mut builder = Policy::builder()
        .revocation(revocation(arguments)?)
        .qualified(arguments.qualified.into());
    builder = trust_list(builder, arguments.trust_list.as_deref(), PolicyBuilder::trust_list)?;
    builder = trust_list(
        builder,
        arguments.test_trust_list.as_deref(),
        PolicyBuilder::test_trust_list,
    )?;
    builder = each(builder, &arguments.trust_anchor, |builder, pem| {
        builder.trust_anchors_pem(pem)
    })?;
    builder = each(builder, &arguments.test_root, |builder, pem| {
        builder.test_roots_pem(pem)
    })?;
    builder = each(builder, &arguments.intermediate, |builder, pem| {
        builder.intermediates_pem(pem)
    })?;
    let cards = universal_cards(arguments)?;
    if !arguments.format.is_empty() {
        if arguments.format.contains(&ProofFormat::Uec) && cards.is_none() {
            return Err(
                "--format uec takes nothing without a root of these cards; give --uec-root or --uec-test-root".into(),
            );
        }
        builder = builder.formats(&arguments.format);
    }
    if let Some(cards) = cards {
        builder = builder.universal_cards(cards);
    }
    builder
        .build()
        .map_err(|error| format!("{error}; give --trust-anchor, --trust-list or --test-root").into())
}

/// What is taken of universal electronic cards: nothing without a root.
fn universal_cards(arguments: &Arguments) -> Result<Option<UecPolicy>, Failure> {
    let none = arguments.uec_root.is_empty() && arguments.uec_test_root.is_empty();
    if none && (arguments.uec_holder_signature || arguments.uec_rsa) {
        return Err(
            "--uec-holder-signature and --uec-rsa are for cards that --uec-root or --uec-test-root lets in".into(),
        );
    }
    if none {
        return Ok(None);
    }
    let mut cards = UecPolicy::new();
    for (files, add) in [
        (
            &arguments.uec_root,
            UecPolicy::root as fn(UecPolicy, &[u8]) -> Result<_, _>,
        ),
        (&arguments.uec_test_root, UecPolicy::test_root),
    ] {
        for file in files {
            let bytes = std::fs::read(file).map_err(|error| in_file(file, error))?;
            cards = add(cards, &bytes).map_err(|error| in_file(file, error))?;
        }
    }
    if arguments.uec_rsa {
        cards = cards.accept_rsa_sha1();
    }
    if arguments.uec_holder_signature {
        cards = cards.demand_holder_signature();
    }
    Ok(Some(cards))
}

/// Adds the authorities of a list, and says how many were taken and what was left out.
fn trust_list(
    builder: PolicyBuilder,
    file: Option<&Path>,
    add: fn(PolicyBuilder, &TrustList) -> (PolicyBuilder, Vec<LeftOut>),
) -> Result<PolicyBuilder, Failure> {
    let Some(file) = file else { return Ok(builder) };
    let xml = std::fs::read(file).map_err(|error| in_file(file, error))?;
    let list = TrustList::from_xml(&xml).map_err(|error| in_file(file, error))?;
    let (builder, left_out) = add(builder, &list);
    let certificates: usize = list.in_force().map(|authority| authority.certificates().count()).sum();
    eprintln!(
        "eid-portal: {}: {} of {} authorities in force, {} of their certificates trusted; the list's own signature was not verified",
        file.display(),
        list.in_force().count(),
        list.authorities.len(),
        certificates - left_out.len()
    );
    for LeftOut { authority, why } in left_out {
        eprintln!("eid-portal: left out: {authority}: {why}");
    }
    Ok(builder)
}

fn each(
    mut builder: PolicyBuilder,
    files: &[PathBuf],
    add: impl Fn(PolicyBuilder, &[u8]) -> Result<PolicyBuilder, portal::policy::PolicyError>,
) -> Result<PolicyBuilder, Failure> {
    for file in files {
        let pem = std::fs::read(file).map_err(|error| in_file(file, error))?;
        builder = add(builder, &pem).map_err(|error| in_file(file, error))?;
    }
    Ok(builder)
}

fn revocation(arguments: &Arguments) -> Result<Revocation, Failure> {
    let mut revocation = match arguments.revocation {
        RevocationMode::Off => Revocation::none(),
        RevocationMode::BestEffort => Revocation::best_effort(),
        RevocationMode::Required => Revocation::required(),
    };
    for file in &arguments.crl {
        let der = std::fs::read(file).map_err(|error| in_file(file, error))?;
        revocation = revocation.crl(&der).map_err(|error| in_file(file, error))?;
    }
    Ok(revocation)
}

fn in_file(file: &Path, error: impl std::fmt::Display) -> Failure {
    format!("{}: {error}", file.display()).into()
}
