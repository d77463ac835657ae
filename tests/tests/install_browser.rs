//! `install-browser` in homes of its own: what it writes is what browsers read, and it takes away no more.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use system_tests::agent::Setup;
use system_tests::browser::{Daemons, PLUGIN_IN_CHROMIUM, Talk, WEB_EID_IN_CHROME};
use system_tests::programs;
use tempfile::TempDir;

const HOSTS: [&str; 2] = ["eu.webeid", "eid_agent.plugin"];
/// Registered on request.
const GOSUSLUGI: &str = "ru.rtlabs.ifcplugin";
/// Below the home directory.
const USER: [(&str, &str); 4] = [
    ("chrome", ".config/google-chrome/NativeMessagingHosts"),
    ("chromium", ".config/chromium/NativeMessagingHosts"),
    ("edge", ".config/microsoft-edge/NativeMessagingHosts"),
    ("firefox", ".mozilla/native-messaging-hosts"),
];
const SYSTEM: [(&str, &str); 4] = [
    ("chrome", "etc/opt/chrome/native-messaging-hosts"),
    ("chromium", "etc/chromium/native-messaging-hosts"),
    ("edge", "etc/opt/edge/native-messaging-hosts"),
    ("firefox", "usr/lib/mozilla/native-messaging-hosts"),
];

/// A person's home.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs::path("eid-agent"));
        command.args(arguments).env_clear().env("HOME", self.0.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["install-browser"];
        all.extend(arguments);
        self.command(&all).output().expect("it starts")
    }

    /// The steps of a run that must succeed: outcomes by file.
    fn steps(&self, arguments: &[&str]) -> Vec<(PathBuf, String)> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.run(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        steps(&output)
    }
}

fn steps(output: &Output) -> Vec<(PathBuf, String)> {
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let steps = told["steps"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    steps
        .map(|step| (text(&step["path"]).into(), text(&step["outcome"])))
        .collect()
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// Every file below a directory, with its text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a directory").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => found.push((path.clone(), fs::read_to_string(&path).unwrap_or_default())),
            }
        }
    }
    found.sort();
    found
}

fn assert_manifest(path: &Path, browser: &str, host: &str, wrapper: &Path) {
    let manifest = read(path);
    assert_eq!((&manifest["name"], &manifest["type"]), (&json!(host), &json!("stdio")));
    assert_eq!(manifest["path"], wrapper.to_str().expect("UTF-8"));
    let (list, other) = match browser {
        "firefox" => ("allowed_extensions", "allowed_origins"),
        _ => ("allowed_origins", "allowed_extensions"),
    };
    let expected = match (browser, host) {
        ("firefox", "eu.webeid") => json!(["{e68418bc-f2b0-4459-a9ea-3e72b6751b07}"]),
        ("firefox", GOSUSLUGI) => json!(["pbafkdcnd@ngodfeigfdgiodgnmbgcfha.ru"]),
        (_, GOSUSLUGI) => json!(["chrome-extension://pbefkdcndngodfeigfdgiodgnmbgcfha/"]),
        ("firefox", _) => json!(["{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}"]),
        (_, "eu.webeid") => json!([
            WEB_EID_IN_CHROME,
            "chrome-extension://gnmckgbandlkacikdndelhfghdejfido/"
        ]),
        _ => json!([PLUGIN_IN_CHROMIUM]),
    };
    assert_eq!(manifest[list], expected);
    assert!(manifest.get(other).is_none());
}

#[test]
fn every_browser_is_told_and_forgets_again() {
    let home = Home::new();
    let done = home.steps(&[]);
    assert!(done.iter().all(|(_, outcome)| outcome == "written"), "{done:?}");
    assert_eq!(done.len(), 10, "two wrappers, two manifests for each of four browsers");
    for host in HOSTS {
        let wrapper = home.path(".local/share/eid-agent/native-hosts").join(host);
        let mode = fs::metadata(&wrapper).expect("a wrapper").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        for (browser, folder) in USER {
            assert_manifest(&home.path(folder).join(format!("{host}.json")), browser, host, &wrapper);
        }
    }
    let again = home.steps(&["--user"]);
    assert!(again.iter().all(|(_, outcome)| outcome == "unchanged"), "{again:?}");

    // One browser less: the wrappers are still needed by the others.
    let gone = home.steps(&["--remove", "--browser", "firefox"]);
    let outcomes: Vec<&str> = gone.iter().map(|(_, outcome)| outcome.as_str()).collect();
    assert_eq!(outcomes, ["removed", "removed", "still_needed", "still_needed"]);
    home.steps(&["--remove"]);
    assert!(files(home.0.path()).is_empty(), "{:?}", files(home.0.path()));
    assert!(!home.path(".local/share/eid-agent").join("native-hosts").exists());
    let nothing = home.steps(&["--remove"]);
    assert!(nothing.iter().all(|(_, outcome)| outcome == "not_there"), "{nothing:?}");
}

#[test]
fn gosuslugis_host_comes_on_request_and_goes_alone() {
    let home = Home::new();
    home.steps(&[]);
    let manifest = |folder: &str| home.path(folder).join(format!("{GOSUSLUGI}.json"));
    assert!(
        USER.iter().all(|(_, folder)| !manifest(folder).exists()),
        "nobody asked for it"
    );
    home.steps(&["--gosuslugi", "--browser", "firefox", "--browser", "chromium"]);
    let wrapper = home.path(".local/share/eid-agent/native-hosts").join(GOSUSLUGI);
    for (browser, folder) in USER {
        match browser {
            "firefox" | "chromium" => assert_manifest(&manifest(folder), browser, GOSUSLUGI, &wrapper),
            _ => assert!(!manifest(folder).exists(), "{browser}"),
        }
    }
    let text = fs::read_to_string(&wrapper).expect("a wrapper");
    assert!(
        text.contains("native-host --host ru.rtlabs.ifcplugin -- \"$@\""),
        "{text}"
    );
    // A newer program is registered for all that there is, without being told again.
    home.steps(&["--browser", "firefox", "--program", "/opt/new/eid-agent"]);
    let text = fs::read_to_string(&wrapper).expect("a wrapper");
    assert!(text.contains("/opt/new/eid-agent"), "{text}");

    let gone = home.steps(&["--remove", "--gosuslugi"]);
    assert!(
        !wrapper.exists() && USER.iter().all(|(_, folder)| !manifest(folder).exists()),
        "{gone:?}"
    );
    assert!(
        gone.iter().all(|(path, _)| path.to_string_lossy().contains(GOSUSLUGI)),
        "{gone:?}"
    );
    assert!(home.path(USER[3].1).join("eu.webeid.json").exists(), "the others stay");
    home.steps(&["--gosuslugi"]);
    home.steps(&["--remove"]);
    assert!(files(home.0.path()).is_empty(), "{:?}", files(home.0.path()));
}

#[test]
fn the_official_gosuslugi_program_is_not_replaced_silently() {
    let home = Home::new();
    let folder = home.path(USER[3].1);
    let file = folder.join(format!("{GOSUSLUGI}.json"));
    let official = json!({ "name": GOSUSLUGI, "description": "IFCPlugin", "path": "/usr/bin/ifc_chrome_host", "type": "stdio",
        "allowed_extensions": ["pbafkdcnd@ngodfeigfdgiodgnmbgcfha.ru"] });
    fs::create_dir_all(&folder).expect("a directory");
    fs::write(&file, official.to_string()).expect("a file");
    let output = home.run(&["--gosuslugi", "--browser", "firefox"]);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("/usr/bin/ifc_chrome_host") && told.contains("--force"),
        "{told}"
    );
    assert_eq!(read(&file), official);
    let done = home.steps(&["--gosuslugi", "--browser", "firefox", "--force"]);
    assert!(done.contains(&(file.clone(), "replaced".to_owned())), "{done:?}");
    let done = home.steps(&["--remove", "--gosuslugi", "--browser", "firefox"]);
    assert!(done.contains(&(file.clone(), "restored".to_owned())), "{done:?}");
    assert_eq!(read(&file), official);
}

#[test]
fn the_table_names_every_file_and_the_directories_of_the_environment_are_used() {
    let home = Home::new();
    let output = home
        .command(&["install-browser", "--browser", "chromium", "--browser", "firefox"])
        .env("XDG_CONFIG_HOME", home.path("conf"))
        .env("XDG_DATA_HOME", home.path("data"))
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    let written = files(home.0.path());
    assert_eq!(written.len(), 6, "{written:?}");
    for (path, _) in written {
        let line = told.lines().find(|line| line.ends_with(path.to_str().expect("UTF-8")));
        let line = line.unwrap_or_else(|| panic!("{} is not in {told}", path.display()));
        assert!(line.contains("written"), "{line}");
    }
    assert!(home.path("conf/chromium/NativeMessagingHosts/eu.webeid.json").exists());
    assert!(home.path("data/eid-agent/native-hosts/eid_agent.plugin").exists());
    assert!(home.path(".mozilla/native-messaging-hosts/eu.webeid.json").exists());
}

#[test]
fn the_official_applications_manifest_is_kept_and_comes_back() {
    let home = Home::new();
    let folder = home.path(".config/chromium/NativeMessagingHosts");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("eu.webeid.json");
    let official = home.path("usr-share-web-eid.json");
    let theirs = r#"{"name":"eu.webeid","description":"Web eID","path":"/usr/bin/web-eid","type":"stdio",
        "allowed_origins":["chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/"]}"#;
    fs::write(&official, theirs).expect("a file");
    symlink(&official, &file).expect("a link, as its package makes");

    let output = home.run(&["--json", "--browser", "chromium"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/usr/bin/web-eid") && said.contains("--force"), "{said}");
    assert!(steps(&output).contains(&(file.clone(), "left_alone".to_owned())));
    assert_eq!(fs::read_to_string(&file).expect("theirs"), theirs);
    assert!(
        folder.join("eid_agent.plugin.json").exists(),
        "ours is written all the same"
    );
    home.steps(&["--remove", "--browser", "chromium"]);
    assert_eq!(
        fs::read_to_string(&file).expect("theirs"),
        theirs,
        "removing takes ours alone"
    );

    let forced = home.steps(&["--force", "--browser", "chromium"]);
    assert!(forced.contains(&(file.clone(), "replaced".to_owned())), "{forced:?}");
    assert_eq!(
        fs::read_to_string(&official).expect("theirs"),
        theirs,
        "the link's file is untouched"
    );
    let wrapper = home.path(".local/share/eid-agent/native-hosts/eu.webeid");
    assert_manifest(&file, "chromium", "eu.webeid", &wrapper);
    home.steps(&["--browser", "chromium"]);
    let back = home.steps(&["--remove", "--browser", "chromium"]);
    assert!(back.contains(&(file.clone(), "restored".to_owned())), "{back:?}");
    assert!(fs::symlink_metadata(&file).expect("theirs").is_symlink());
    assert_eq!(fs::read_to_string(&file).expect("theirs"), theirs);
    let left = files(home.0.path());
    assert_eq!(left.len(), 2, "the link and its file: {left:?}");
}

#[test]
fn for_every_user_of_the_machine() {
    let home = Home::new();
    let root = home.path("root");
    let root = root.to_str().expect("UTF-8");
    let program = "/usr/bin/eid-agent";
    let arguments = ["--system", "--destdir", root, "--program", program];
    let done = home.steps(&arguments);
    assert_eq!(done.len(), 10);
    for host in HOSTS {
        let named = Path::new("/usr/local/lib/eid-agent/native-hosts").join(host);
        for (browser, folder) in SYSTEM {
            let file = home.path("root").join(folder).join(format!("{host}.json"));
            assert_manifest(&file, browser, host, &named);
            for path in file.ancestors().take_while(|path| *path != home.path("root")) {
                let mode = fs::metadata(path).expect("it is there").permissions().mode();
                assert_eq!(mode & 0o044, 0o044, "{} is for every user", path.display());
            }
        }
        let script = home.path("root/usr/local/lib/eid-agent/native-hosts").join(host);
        let text = fs::read_to_string(script).expect("a wrapper");
        assert!(text.contains("exec '/usr/bin/eid-agent' native-host --host"), "{text}");
    }
    assert!(!home.path(".local").exists() && !home.path(".config").exists());
    let output = home
        .command(&["--state", "/x", "install-browser", "--system"])
        .output()
        .expect("it starts");
    assert_eq!(
        output.status.code(),
        Some(2),
        "one state directory for all is none for anybody"
    );
    home.steps(&["--system", "--destdir", root, "--remove"]);
    assert!(files(&home.path("root")).is_empty());
}

#[test]
fn what_is_installed_works_and_the_doctor_agrees() {
    let setup = Setup::new().configure("port = 0\n");
    let _daemons = Daemons::of(&setup);
    let installed = setup.command(&["install-browser"]).output().expect("it starts");
    assert!(
        installed.status.success(),
        "{}",
        String::from_utf8_lossy(&installed.stderr)
    );
    // As Firefox and Chromium start it: the manifest's path, and their own arguments.
    let firefox = setup
        .folder()
        .join(".mozilla/native-messaging-hosts/eid_agent.plugin.json");
    let chromium = setup
        .folder()
        .join(".config/chromium/NativeMessagingHosts/eid_agent.plugin.json");
    let firefox_arguments = [
        firefox.to_str().expect("UTF-8"),
        "{78909f39-7a2f-4bab-b6fd-1a78fa9d41dc}",
    ];
    for (manifest, caller) in [(&firefox, &firefox_arguments[..]), (&chromium, &[PLUGIN_IN_CHROMIUM])] {
        let mut command = Command::new(read(manifest)["path"].as_str().expect("a path"));
        command.args(caller).env_clear();
        let mut talk = Talk::with(command);
        talk.answer().expect("the version");
        talk.say("locate", json!({}));
        let told = talk.answer().expect("an answer");
        assert!(told["port"].is_u64(), "{told}");
        assert!(talk.end().success());
    }
    // A browser that the doctor sees, whatever this machine has.
    let profile = setup.folder().join(".mozilla/firefox");
    fs::create_dir_all(&profile).expect("a profile");
    fs::write(profile.join("profiles.ini"), "").expect("a file");
    let told = doctor(&setup);
    for host in HOSTS {
        assert!(told.contains(&format!("ok    Firefox, {host}: ")), "{told}");
    }
    // The running agent was started in another session than this one, which has no window.
    assert!(told.contains("warn  prompt: not in this session: "), "{told}");

    let wrapper = setup
        .folder()
        .join(".local/share/eid-agent/native-hosts/eid_agent.plugin");
    fs::remove_file(&wrapper).expect("it was there");
    let told = doctor(&setup);
    assert!(told.contains("FAIL  Firefox, eid_agent.plugin: "), "{told}");
    assert!(told.contains("run `eid-agent install-browser`"), "{told}");
}

fn doctor(setup: &Setup) -> String {
    let output = setup.command(&["doctor"]).output().expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_profile_in_a_directory_of_its_own() {
    let home = Home::new();
    let profile = home.path("profile");
    let profile = profile.to_str().expect("UTF-8");
    let state = home.path("it's a state");
    let output = home
        .command(&[
            "--state",
            state.to_str().expect("UTF-8"),
            "install-browser",
            "--user-data-dir",
            profile,
        ])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = home.path("profile/NativeMessagingHosts");
    for host in HOSTS {
        assert_manifest(
            &folder.join(format!("{host}.json")),
            "chromium",
            host,
            &folder.join(host),
        );
        let text = fs::read_to_string(folder.join(host)).expect("a wrapper");
        assert!(text.contains("it'\\''s a state"), "{text}");
    }
    let mut command = Command::new(folder.join("eu.webeid"));
    command.arg(WEB_EID_IN_CHROME).env_clear();
    let mut talk = Talk::with(command);
    talk.answer().expect("the version");
    talk.say("quit", json!({}));
    assert_eq!(talk.answer(), Some(json!({})));
    assert!(talk.end().success());
    assert_eq!(files(home.0.path()).len(), 4, "nowhere else");
    home.steps(&["--remove", "--user-data-dir", profile]);
    assert!(files(home.0.path()).is_empty());
}
