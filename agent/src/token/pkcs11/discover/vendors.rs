//! Where vendors put their modules, as data.

use std::path::{Path, PathBuf};

use super::{library_folders, sorted};

/// A vendor's module: names inside the library folders, and whole paths.
struct Vendor {
    name: &'static str,
    /// Looked for in each library folder and its `pkcs11`; a `*` at the end stands for any version, of
    /// which the last one by name is taken.
    files: &'static [&'static str],
    /// Whole paths, of any system.
    paths: &'static [&'static str],
}

const VENDORS: [Vendor; 7] = [
    Vendor {
        name: "Rutoken",
        files: &["librtpkcs11ecp.so"],
        paths: &[
            "/opt/aktivco/rutokenecp/amd64/librtpkcs11ecp.so",
            "/opt/aktivco/rutokenecp/x86_64/librtpkcs11ecp.so",
            "/opt/aktivco/rutokenecp/i386/librtpkcs11ecp.so",
            "/Library/Frameworks/rtPKCS11ECP.framework/rtPKCS11ECP",
            "/Library/Frameworks/rtPKCS11.framework/rtpkcs11ecp.dylib",
            r"C:\Windows\System32\rtPKCS11ECP.dll",
        ],
    },
    Vendor {
        name: "JaCarta",
        files: &["libjcPKCS11-2.so", "libjcPKCS11-2.so.2", "libjcPKCS11-2.so.2.*"],
        paths: &[
            "/Library/Frameworks/jcPKCS11-2.framework/jcPKCS11-2",
            r"C:\Windows\System32\jcPKCS11-2.dll",
        ],
    },
    Vendor {
        name: "SafeNet eToken",
        files: &["libeToken.so", "libeTPkcs11.so"],
        paths: &["/usr/local/lib/libeTPkcs11.dylib", r"C:\Windows\System32\eTPKCS11.dll"],
    },
    Vendor {
        name: "ESMART",
        files: &["libisbc_pkcs11_main.so"],
        paths: &[r"C:\Windows\System32\isbc_pkcs11_main.dll"],
    },
    Vendor {
        name: "CryptoPro",
        files: &[],
        paths: &[
            "/opt/cprocsp/lib/amd64/libcppkcs11.so",
            "/opt/cprocsp/lib/amd64/libcppkcs11.so.4.0.4",
            "/opt/cprocsp/lib/aarch64/libcppkcs11.so",
            r"C:\Windows\System32\cppkcs11.dll",
        ],
    },
    Vendor {
        name: "OpenSC",
        files: &["opensc-pkcs11.so"],
        paths: &[
            "/Library/OpenSC/lib/opensc-pkcs11.so",
            r"C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
        ],
    },
    Vendor {
        name: "YubiKey",
        files: &["libykcs11.so"],
        paths: &["/usr/local/lib/libykcs11.dylib"],
    },
];

/// Every path where a vendor's module could be.
pub(super) fn paths(usr: &Path) -> Vec<(&'static str, PathBuf)> {
    let folders = library_folders(usr);
    let folders: Vec<PathBuf> = folders
        .into_iter()
        .flat_map(|folder| [folder.join("pkcs11"), folder])
        .collect();
    let of = |vendor: &'static Vendor| {
        let files = folders
            .iter()
            .flat_map(|folder| vendor.files.iter().filter_map(|file| in_folder(folder, file)));
        files
            .chain(vendor.paths.iter().map(PathBuf::from))
            .map(|path| (vendor.name, path))
            .collect::<Vec<_>>()
    };
    VENDORS.iter().flat_map(of).collect()
}

fn in_folder(folder: &Path, file: &str) -> Option<PathBuf> {
    let Some(start) = file.strip_suffix('*') else {
        return Some(folder.join(file));
    };
    let mut versions = sorted(folder).into_iter();
    let is_one = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(start))
    };
    versions.rfind(is_one)
}
