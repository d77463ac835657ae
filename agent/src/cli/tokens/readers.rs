//! Card readers and what is in them, in words.

use std::fmt::Write;

use agent::certificate::Role;
use agent::legible::legible;
use agent::token::{Inserted, ReaderInfo};
use plugin_protocol::encoding::hex;
use serde_json::{Value, json};

/// A reader and its card; details each on a line of its own.
pub(in crate::cli) fn as_text(reader: &ReaderInfo) -> String {
    let mut text = format!("reader «{}»: {}\n", legible(&reader.name), card(&reader.card));
    if let Inserted::Known { slots, details, .. } = &reader.card {
        for (pin, role) in slots {
            let _ = writeln!(text, "  {}: {}", legible(pin), opens(*role));
        }
        for (name, value) in details {
            let _ = writeln!(text, "  {}: {}", legible(name), legible(value));
        }
    }
    text
}

/// What is in a reader, in one line.
pub(in crate::cli) fn card(card: &Inserted) -> String {
    match card {
        Inserted::Nothing => "empty".to_owned(),
        Inserted::Known {
            closed: Some(closed), ..
        } => format!("of no use here: {closed}"),
        Inserted::Known { family, .. } => legible(family),
        Inserted::Left { family, why } => {
            format!("{}, left to PKCS#11 modules: {}", legible(family), legible(why))
        }
        Inserted::Elsewhere { family, why } => format!("{}: {}", legible(family), legible(why)),
        Inserted::Unknown { atr, tried } => {
            let asked = match tried.is_empty() {
                true => "no known family has this answer".to_owned(),
                false => format!("asked whether it is {}: it is not", tried.join(", ")),
            };
            format!("an unknown card, answer to reset {} ({asked})", hex(atr).to_uppercase())
        }
        Inserted::Hung(time) => format!(
            "it has not answered for {} s and is left alone until it does",
            time.as_secs()
        ),
        Inserted::InUse => "another program is using the card; close that program".to_owned(),
        Inserted::Unreadable(why) => format!("a card that was not read: {}", legible(why)),
    }
}

fn opens(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Authentication) => "opens what confirms identity",
        Some(Role::Signing) => "opens the key of the holder's signature",
        None => "opens all of its keys",
    }
}

pub(super) fn as_json(reader: &ReaderInfo) -> Value {
    let mut value = json!({ "reader": reader.name });
    match &reader.card {
        Inserted::Nothing => value["card"] = Value::Null,
        Inserted::Known {
            family,
            slots,
            details,
            closed,
        } => {
            let pins: Vec<&String> = slots.iter().map(|(pin, _)| pin).collect();
            let details: serde_json::Map<String, Value> = details
                .iter()
                .map(|(name, value)| (name.clone(), json!(value)))
                .collect();
            value["card"] = json!({ "family": family, "pins": pins, "details": details });
            if let Some(closed) = closed {
                value["card"]["problem"] = json!(closed.to_string());
            }
        }
        Inserted::Left { family, why } | Inserted::Elsewhere { family, why } => {
            value["card"] = json!({ "family": family, "left_to_modules": true, "why": why });
        }
        Inserted::Unknown { atr, tried } => value["card"] = json!({ "atr": hex(atr), "tried": tried }),
        Inserted::Hung(_) => value["card"] = json!({ "problem": card(&reader.card), "hung": true }),
        Inserted::InUse => value["card"] = json!({ "problem": card(&reader.card), "in_use": true }),
        Inserted::Unreadable(why) => value["card"] = json!({ "problem": why }),
    }
    value
}
