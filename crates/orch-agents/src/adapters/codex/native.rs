//! The native program behind the package's wrapper.

use std::path::{Path, PathBuf};

/// Where the package of a platform keeps the program, below `node_modules`.
const PLACES: [&str; 2] = [
    "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",
    "@openai/codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex",
];
/// How far above the wrapper `node_modules` may be: links of package managers lie in between.
const HEIGHT: usize = 8;

/// The native program of the wrapper at `found`; `None` where `found` is none, or its package is
/// laid out otherwise.
pub(super) fn behind(found: &Path) -> Option<PathBuf> {
    let wrapper = found.canonicalize().ok()?;
    if wrapper.extension().is_none_or(|kind| kind != "js") {
        return None;
    }
    let modules = wrapper
        .ancestors()
        .skip(1)
        .take(HEIGHT)
        .flat_map(|dir| [dir.join("node_modules"), dir.to_owned()]);
    modules.flat_map(|dir| PLACES.map(|place| dir.join(place))).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_leads_to_the_native_program_however_it_is_linked() {
        let dir = tempfile::tempdir().unwrap();
        let file = |path: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let wrapper = file("lib/node_modules/@openai/codex/bin/codex.js");
        assert_eq!(behind(&wrapper), None, "the platform's package is not there");
        let native = file(&format!("lib/node_modules/{}", PLACES[0]));
        let link = dir.path().join("codex");
        std::os::unix::fs::symlink(&wrapper, &link).unwrap();
        assert_eq!(behind(&link), Some(native.canonicalize().unwrap()));
        let nested = file(&format!("lib/node_modules/@openai/codex/node_modules/{}", PLACES[1]));
        assert_eq!(behind(&wrapper), Some(nested.canonicalize().unwrap()), "the nearer one");
        assert_eq!(behind(&native), None, "it is the native program itself");
        assert_eq!(behind(Path::new("/nonexistent")), None);
    }
}
