//! The script a manifest names: manifests carry no arguments, so it adds them.

use std::path::{Path, PathBuf};

use agent::native_host::Host;

/// By this a script is known as ours.
const MARK: &str = "# eid-agent native host: written by `eid-agent install-browser`, removed with --remove.";

/// What a wrapper starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrapper {
    /// The agent's program.
    pub(crate) program: PathBuf,
    /// `--state`, `--runtime`, `--config`, where they were given.
    pub(crate) flags: Vec<(String, PathBuf)>,
    /// The host it speaks as.
    pub(crate) host: String,
}

impl Wrapper {
    pub(crate) fn new(program: PathBuf, flags: Vec<(String, PathBuf)>, host: Host) -> Self {
        let host = host.name().to_owned();
        Self { program, flags, host }
    }

    /// The script. Paths that are no UTF-8 cannot be written; `None` then.
    pub(crate) fn text(&self) -> Option<String> {
        let mut line = format!("exec {}", quoted(&self.program)?);
        for (flag, path) in &self.flags {
            line.push_str(&format!(" {flag} {}", quoted(path)?));
        }
        let host = &self.host;
        Some(format!(
            "#!/bin/sh\n{MARK}\n{line} native-host --host {host} -- \"$@\"\n"
        ))
    }

    /// Whether we wrote this script.
    pub(crate) fn is_ours(text: &str) -> bool {
        text.lines().nth(1) == Some(MARK)
    }

    /// Reads a script of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = text.lines().nth(2).filter(|_| Self::is_ours(text))?;
        let mut words = words(line)?.into_iter();
        if words.next()? != "exec" {
            return None;
        }
        let program = PathBuf::from(words.next()?);
        let mut flags = Vec::new();
        loop {
            match words.next()?.as_str() {
                "native-host" => break,
                flag => flags.push((flag.to_owned(), PathBuf::from(words.next()?))),
            }
        }
        let host = words.nth(1)?;
        Some(Self { program, flags, host })
    }
}

/// A word of a shell's line that means just these bytes.
fn quoted(path: &Path) -> Option<String> {
    Some(format!("'{}'", path.to_str()?.replace('\'', r"'\''")))
}

/// The words of a line that [`quoted`] has made.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut found, mut word, mut inside) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, inside) {
            ('\'', _) => {
                inside = !inside;
                word.get_or_insert_default();
            }
            ('\\', false) => word.get_or_insert_default().push(letters.next()?),
            (' ', false) => found.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    found.extend(word.take());
    (!inside).then_some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_script_says_what_it_was_given_whatever_the_paths() {
        for program in ["/usr/bin/eid-agent", "/opt/it's here/$(id) `x` \"y\" \\z/eid-agent"] {
            let flags = vec![("--state".to_owned(), PathBuf::from("/a 'b'/c"))];
            for flags in [Vec::new(), flags] {
                let wrapper = Wrapper::new(PathBuf::from(program), flags, Host::WebEid);
                let text = wrapper.text().unwrap();
                assert_eq!(Wrapper::parse(&text), Some(wrapper), "{text}");
            }
        }
        assert_eq!(Wrapper::parse("#!/bin/sh\nexec '/usr/bin/eid-agent' native-host"), None);
    }

    #[test]
    fn a_shell_reads_the_same_words() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("it's $HOME");
        std::fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let flags = vec![("--state".to_owned(), PathBuf::from("/a 'b' `c`"))];
        let text = Wrapper::new(program, flags, Host::Plugin).text().unwrap();
        let script = folder.path().join("script");
        std::fs::write(&script, text).unwrap();
        let output = std::process::Command::new("/bin/sh")
            .arg(&script)
            .args(["--json", "x y"])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let words: Vec<&str> = said.lines().collect();
        assert_eq!(
            words,
            [
                "--state",
                "/a 'b' `c`",
                "native-host",
                "--host",
                "eid_agent.plugin",
                "--",
                "--json",
                "x y"
            ]
        );
    }
}
