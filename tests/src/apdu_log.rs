//! What `pcscd --apdu` has written of the APDUs: the oracle of what the agent sent.

/// A command with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The command APDU.
    pub command: Vec<u8>,
    /// The response APDU; empty where the card was taken out before it answered.
    pub response: Vec<u8>,
}

impl Exchange {
    /// Whether it is a VERIFY with a PIN in it: one without data only asks for the tries left.
    pub fn bears_pin(&self) -> bool {
        matches!(self.command[..], [class, 0x20, _, _, length, ..] if class & 0xE0 == 0 && length > 0 && self.command.len() > 5)
    }

    /// Instruction byte.
    pub fn instruction(&self) -> u8 {
        self.command.get(1).copied().unwrap_or(0)
    }
}

/// The exchanges in a log: lines with `APDU: 00 A4 …`, each followed by one with `SW: … 90 00`.
pub fn exchanges(log: &str) -> Vec<Exchange> {
    let mut all = Vec::new();
    for line in log.lines() {
        if let Some((_, text)) = line.split_once("APDU: ") {
            let command = bytes(text);
            all.push(Exchange {
                command,
                response: Vec::new(),
            });
        } else if let (Some((_, text)), Some(last)) = (line.split_once("SW: "), all.last_mut()) {
            last.response = bytes(text);
        }
    }
    all
}

fn bytes(text: &str) -> Vec<u8> {
    let words = text.split_whitespace();
    words.map_while(|word| u8::from_str_radix(word, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_read() {
        let log = "00000131 APDU: 00 20 00 80 \n00000010 SW: 63 C3 \n00000020 winscard.c:1() other\n\
                   00000131 APDU: 00 20 00 80 08 31 32 33 34 FF FF FF FF \n00000010 SW: \n";
        let read = exchanges(log);
        assert_eq!(read[0].response, [0x63, 0xC3]);
        assert_eq!([read[0].bears_pin(), read[1].bears_pin()], [false, true]);
        assert_eq!((read[1].response.len(), read[1].instruction()), (0, 0x20));
    }
}
