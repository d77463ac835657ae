//! Which pinentry there is, and where it could show itself.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What helps when there is none.
pub(super) const REMEDY: &str =
    "install pinentry-gnome3, pinentry-qt or pinentry-curses, or name one under [prompt] in the configuration";

/// Names in the order of preference: the desktop's own, the distribution's choice, the rest.
const NAMES: [&str; 11] = [
    "pinentry-mac",
    "pinentry",
    "pinentry-gnome3",
    "pinentry-qt",
    "pinentry-qt6",
    "pinentry-qt5",
    "pinentry-gtk-2",
    "pinentry-gtk",
    "pinentry-fltk",
    "pinentry-curses",
    "pinentry-tty",
];

/// How a pinentry shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// A window on a display.
    Window,
    /// A terminal.
    Text,
    /// The name does not tell: a wrapper that finds out by itself.
    Unknown,
}

impl Flavour {
    /// By the name of the file that `program` leads to, through any links.
    pub(super) fn of(program: &Path) -> Self {
        let target = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
        Self::of_name(target.file_name().unwrap_or_default())
    }

    fn of_name(name: &OsStr) -> Self {
        let name = name.to_string_lossy();
        let flavour = name.strip_prefix("pinentry-").unwrap_or_default();
        match flavour {
            "curses" | "tty" => Self::Text,
            "mac" | "gnome3" | "qt" | "qt4" | "qt5" | "qt6" | "gtk" | "gtk-2" | "fltk" | "efl" | "tqt" | "kwallet"
            | "bemenu" | "rofi" | "x11" => Self::Window,
            _ => Self::Unknown,
        }
    }
}

/// The programs on `PATH`, best first.
pub(super) fn programs() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .collect();
    NAMES.into_iter().filter_map(move |name| {
        let places = folders.iter().map(|folder| folder.join(name));
        places.into_iter().find(|program| is_program(program))
    })
}

/// Whether it is a file that may be executed.
pub(super) fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Whether a window could be shown.
pub(in crate::prompt) fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("WAYLAND_DISPLAY") || set("DISPLAY")
}

/// The terminal for the flavours that need one: `GPG_TTY`, else that of the standard input.
pub(super) fn tty() -> Option<PathBuf> {
    let named = std::env::var_os("GPG_TTY").filter(|name| !name.is_empty());
    named.map(PathBuf::from).or_else(|| {
        let name = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok()?;
        Some(PathBuf::from(name.into_string().ok()?))
    })
}

/// Whether a process that reads `tty` or sets it up is stopped, and the agent with it: it is the terminal of
/// our session, and another group of processes has it.
pub(super) fn in_background(tty: &Path) -> bool {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = (rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK).bits() as i32;
    let file = std::fs::File::options().read(true).custom_flags(flags).open(tty);
    // A terminal that controls another session tells no group.
    let group = file.ok().and_then(|file| rustix::termios::tcgetpgrp(file).ok());
    group.is_some_and(|group| group != rustix::process::getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavours_by_name() {
        for (name, flavour) in [
            ("pinentry-curses", Flavour::Text),
            ("pinentry-tty", Flavour::Text),
            ("pinentry-gnome3", Flavour::Window),
            ("pinentry-gtk-2", Flavour::Window),
            ("pinentry-mac", Flavour::Window),
            ("pinentry", Flavour::Unknown),
            ("my-own-wrapper", Flavour::Unknown),
        ] {
            assert_eq!(Flavour::of_name(OsStr::new(name)), flavour, "{name}");
        }
    }
}
