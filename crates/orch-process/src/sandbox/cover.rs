//! Landlock can only allow: what is hidden is left out by allowing everything beside the way to it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The paths that together hold everything below `/` but the hidden ones. `children` lists a
/// folder.
pub(super) fn around(
    hidden: &[PathBuf],
    children: &dyn Fn(&Path) -> Vec<PathBuf>,
) -> BTreeSet<PathBuf> {
    let mut covered = BTreeSet::new();
    walk(Path::new("/"), hidden, children, &mut covered);
    covered
}

fn walk(
    path: &Path,
    hidden: &[PathBuf],
    children: &dyn Fn(&Path) -> Vec<PathBuf>,
    covered: &mut BTreeSet<PathBuf>,
) {
    if hidden.iter().any(|gone| path.starts_with(gone)) {
        return;
    }
    if !hidden.iter().any(|gone| gone.starts_with(path)) {
        covered.insert(path.to_owned());
        return;
    }
    for child in children(path) {
        walk(&child, hidden, children, covered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_way_to_the_hidden_is_covered() {
        let tree = |path: &Path| -> Vec<PathBuf> {
            let names: &[&str] = match path.to_str().unwrap_or_default() {
                "/" => &["/home", "/usr", "/etc"],
                "/home" => &["/home/ann", "/home/bob"],
                "/home/ann" => &["/home/ann/secret", "/home/ann/open"],
                other => panic!("{other} need not be listed"),
            };
            names.iter().map(PathBuf::from).collect()
        };
        let hidden = ["/home/ann/secret", "/home/ann/secret/deeper", "/home/bob"];
        let covered = around(&hidden.map(PathBuf::from), &tree);
        let expected = ["/etc", "/home/ann/open", "/usr"];
        assert_eq!(covered, expected.map(PathBuf::from).into());
    }
}
