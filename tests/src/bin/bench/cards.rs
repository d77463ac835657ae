//! Cards over a real `pcscd`: what one confirmation sends beside the least that the card's documents allow, the time of it
//! beside the same commands sent bare, and how long until a card that comes or goes is told.

use std::path::Path;
use std::time::{Duration, Instant};

use fixtures::card::kit::Order;
use fixtures::card::list::{self, Ready};
use fixtures::card::uec;
use fixtures::card::vpcd::Slot;
use fixtures::pki::TestPki;
use fixtures::plugin::Plugin;
use plugin_protocol::event::EventKind;
use system_tests::agent::Setup;
use system_tests::apdu_log::Exchange;
use system_tests::ask::ORIGIN;
use system_tests::chip::terminal;
use system_tests::pcsc_client::PcscClient;
use system_tests::pcscd::Pcscd;
use system_tests::scene::tokens;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::confirmations::{confirm_once, request};
use crate::stats::{Sample, print_header, print_row};

const ROUNDS: usize = 50;
const HOT_PLUGS: usize = 12;

/// A card, and the least that its documents ask for.
struct Kind {
    /// For `list::find`.
    id: &'static str,
    format: &'static str,
    /// Commands without a PIN that say what the card is, how many tries are left, and where the certificate lies.
    before: usize,
    /// Commands from selecting the key to the signature, VERIFY among them.
    after: usize,
}

/// READ BINARY and GET RESPONSE are not in these numbers: how many a certificate takes, its length decides.
const KINDS: [Kind; 11] = [
    Kind {
        id: "esteid-idemia",
        format: "web-eid:1.0",
        before: 3,
        after: 4,
    },
    Kind {
        id: "esteid-thales",
        format: "web-eid:1.0",
        before: 3,
        after: 5,
    },
    Kind {
        id: "finid-v3",
        format: "web-eid:1.0",
        before: 3,
        after: 5,
    },
    Kind {
        id: "finid-v4",
        format: "web-eid:1.0",
        before: 3,
        after: 5,
    },
    Kind {
        id: "latid-v1",
        format: "web-eid:1.0",
        before: 3,
        after: 4,
    },
    Kind {
        id: "latid-v2",
        format: "web-eid:1.0",
        before: 7,
        after: 4,
    },
    Kind {
        id: "belid",
        format: "web-eid:1.0",
        before: 3,
        after: 4,
    },
    // EF.CD, EF.PrKD, a certificate and the counter; what tells that there is anything of it comes on top.
    Kind {
        id: "rutoken-ecp",
        format: "web-eid:1.0",
        before: 4,
        after: 5,
    },
    Kind {
        id: "piv",
        format: "web-eid:1.0",
        before: 4,
        after: 3,
    },
    // Before: the application, its status, its certificate and its issuer's; the terminal's two certificates, each in two
    // parts; the card's key, a challenge, the mutual authentication. After: the cryptogram, VERIFY, sector and block, and six
    // members of the block. One session serves for all of it; ours is opened anew once the PIN is typed, for nobody keeps
    // a card while a person reads.
    Kind {
        id: "uec",
        format: "uec",
        before: 11,
        after: 10,
    },
    // It has no status.
    Kind {
        id: "uec-1.0",
        format: "uec",
        before: 10,
        after: 10,
    },
];

/// Prints the tables.
pub(crate) fn run(runtime: &Runtime) {
    println!(
        "\nCommands of one confirmation (the first after the card was put in), parts of an answer or a file apart"
    );
    println!(
        "  {:<16} {:>9} {:>9} {:>14} {:>12}",
        "", "sent", "least", "parts of data", "read twice"
    );
    let mut timed = Vec::new();
    for kind in &KINDS {
        match runtime.block_on(confirmations(kind)) {
            Ok(sample) => timed.push((kind.id, sample)),
            Err(why) => println!("  {:<16} not measured: {why}", kind.id),
        }
    }
    for (id, (whole, bare)) in timed {
        print_header(&format!("{id}, a confirmation when its certificate is known"));
        print_row("the same commands sent bare, in one transaction each", &bare, None);
        print_row("whole: consent by policy, own check, history", &whole, Some(&bare));
        if uec::named(id).is_some() {
            println!(
                "  (Bare, the card refuses what was wrapped for another session: its own work there is in the whole alone.)"
            );
        }
    }
    runtime.block_on(hot_plug());
}

/// The card, and what an agent has to be told to read it.
fn made(kind: &Kind, folder: &Path) -> Result<(Ready, String), String> {
    let order = Order::new("Образцова Вера Тестовна");
    if let Some(build) = uec::named(kind.id) {
        let card = uec::ordered(build, &order);
        let configuration = terminal(&card.pkis()[0], folder);
        let ready = Ready {
            pins: card.pins(),
            card: Box::new(card),
            notes: Vec::new(),
        };
        return Ok((ready, configuration));
    }
    let variant = list::find(kind.id).ok_or("virtual-card has no such card")?;
    Ok(((variant.make)(&TestPki::new(), &order), String::new()))
}

async fn confirmations(kind: &Kind) -> Result<(Sample, Sample), String> {
    let pcscd = Pcscd::start();
    let reader = pcscd.reader();
    let files = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (ready, configuration) = made(kind, files.path())?;
    let pin = ready.pins.first().ok_or("it has no PIN")?.1.clone();
    let mut slot = Slot::new(reader.port);
    slot.insert(ready.card).map_err(|error| error.to_string())?;
    let client = pcscd.client();
    client.wait_for_card(&reader.name);
    let setup = Setup::new().pcscd(&pcscd).configure(&configuration);
    let id = tokens(&setup)
        .first()
        .and_then(|token| token["id"].as_str().map(str::to_owned));
    let id = id.ok_or("the agent lists no token")?;
    let policy = format!("pair = true\norigins = [\"{ORIGIN}\"]\n[[token]]\nid = {id:?}\npin = {pin:?}\n");
    let agent = setup.quiet().rates(1_000_000).unattended(&policy).start();
    let plugin = agent.paired().await;
    let mut request = request(&id);
    request.format = kind.format.into();
    let sent = pcscd.exchanges().len();
    confirm_once(&plugin, &request).await;
    let first = pcscd.exchanges().split_off(sent);
    print_counts(kind, &first);
    let mut durations = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        durations.push(confirm_once(&plugin, &request).await);
    }
    let sent = pcscd.exchanges().len();
    confirm_once(&plugin, &request).await;
    let usual = pcscd.exchanges().split_off(sent);
    client.connect(&reader.name, false)?;
    let mut bare = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        client.begin()?;
        for exchange in &usual {
            client.send(&exchange.command)?;
        }
        client.end()?;
        bare.push(begun.elapsed());
    }
    client.disconnect(true)?;
    Ok((Sample::from_durations(durations), Sample::from_durations(bare)))
}

/// Whether a command only fetches the next part of what another one asked for.
fn is_part(exchange: &Exchange) -> bool {
    matches!(exchange.instruction(), 0xB0 | 0xC0)
}

fn print_counts(kind: &Kind, exchanges: &[Exchange]) {
    let parts = exchanges.iter().filter(|exchange| is_part(exchange)).count();
    let reads: Vec<_> = exchanges
        .iter()
        .filter(|exchange| exchange.instruction() == 0xB0)
        .collect();
    let twice = twice(exchanges);
    println!(
        "  {:<16} {:>9} {:>9} {:>14} {:>12}",
        kind.id,
        exchanges.len() - parts,
        kind.before + kind.after,
        format!("{parts} ({} reads)", reads.len()),
        twice
    );
}

/// How many READ BINARY or GET DATA of one file were sent again with nothing else selected between. What secure messaging
/// wraps differs every time, and is not compared.
fn twice(exchanges: &[Exchange]) -> usize {
    let mut selected = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    let mut count = 0;
    for exchange in exchanges {
        match exchange.instruction() {
            0xA4 => selected.clone_from(&exchange.command),
            0xB0 | 0xCA | 0xCB if !seen.insert((selected.clone(), exchange.command.clone())) => count += 1,
            _ => {}
        }
    }
    count
}

/// From the card's coming and going to the agent's event, and to what pcscd tells any client.
async fn hot_plug() {
    let pcscd = Pcscd::start();
    let reader = pcscd.reader();
    let pki = TestPki::new();
    let variant = list::find("esteid-idemia").expect("the list has it");
    let mut card = Some((variant.make)(&pki, &Order::new("Образцова Вера Тестовна")).card);
    let mut slot = Slot::new(reader.port);
    let agent = Setup::new()
        .pcscd(&pcscd)
        .quiet()
        .rates(1_000_000)
        .unattended(&format!("pair = true\norigins = [\"{ORIGIN}\"]\n"))
        .start();
    let plugin = agent.paired().await;
    let mut client = pcscd.client();
    let mut told: [[Vec<Duration>; 2]; 2] = Default::default();
    let mut since = plugin.events(0, 0).await.expect("events").next;
    for _ in 0..HOT_PLUGS {
        for coming in [true, false] {
            // A card that comes within a second of another's going has to stay for 300 ms first; this one does not.
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let watching = watch(client, &reader.name, coming);
            let begun = Instant::now();
            match card.take() {
                Some(present) => slot.insert(present).expect("vpcd listens"),
                None => card = slot.remove(),
            }
            since = event(&plugin, since, coming).await;
            told[usize::from(coming)][0].push(begun.elapsed());
            let seen;
            (seen, client) = watching.await.expect("it does not panic");
            told[usize::from(coming)][1].push(seen.saturating_duration_since(begun));
        }
    }
    let [going, coming] = told;
    for (name, [ours, bare]) in [("put in", coming), ("taken out", going)] {
        print_header(&format!("A card is {name} (pcscd looks at such readers every 400 ms)"));
        let bare = Sample::from_durations(bare);
        print_row("SCardGetStatusChange of a bare client", &bare, None);
        print_row(
            "the event at a paired plugin",
            &Sample::from_durations(ours),
            Some(&bare),
        );
    }
}

/// When a client beside the agent learns of it.
fn watch(client: PcscClient, reader: &str, coming: bool) -> JoinHandle<(Instant, PcscClient)> {
    let reader = reader.to_owned();
    tokio::task::spawn_blocking(move || {
        match coming {
            true => client.wait_for_card(&reader),
            false => client.wait_for_none(&reader),
        }
        (Instant::now(), client)
    })
}

/// Waits for the event; the number to go on from.
async fn event(plugin: &Plugin, mut since: u64, coming: bool) -> u64 {
    loop {
        let body = plugin.events(since, 25).await.expect("events");
        since = body.next;
        let wanted = |kind: &EventKind| match kind {
            EventKind::CardInserted { .. } => coming,
            EventKind::CardRemoved { .. } => !coming,
            _ => false,
        };
        if body.events.iter().any(|event| wanted(&event.kind)) {
            return since;
        }
    }
}
