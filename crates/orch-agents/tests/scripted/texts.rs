//! Texts are filled in, and what fills them is data.

use std::fs;

use orch_agents::scripted::{ScriptContext, perform};

use crate::support::{context, play, play_as, script};

#[test]
fn names_are_filled_in_in_texts_and_paths() {
    let root = tempfile::tempdir().unwrap();
    let all = "{{ task }}|{{ title }}|{{ stage }}|{{ role }}|{{ attempt }}|{{ run_id }}|{{ artifact_dir }}";
    let played = play(
        root.path(),
        &[
            &format!("write = \"notes/{{{{ task }}}}.md\"\ntext = \"{all}\\n\""),
            "write = \"b\"\ntext = \"{% if attempt > 1 %}again{% else %}first{% endif %}\"",
            "patch = \"b\"\nfind = \"first\"\nreplace = \"{{ role | upper }}\"",
        ],
    );
    assert_eq!((played.code, played.err.as_str()), (0, ""));
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    let expected = "HELLO-1|Say hello|development|developer|1|r-1|docs/work-items/HELLO-1\n";
    assert_eq!(read("notes/HELLO-1.md"), expected);
    assert_eq!(read("b"), "DEVELOPER");
}

#[test]
fn a_title_is_never_taken_for_a_template() {
    let root = tempfile::tempdir().unwrap();
    let title = "{{ run_id }} {% raw %} <b> & {{ nothing }}";
    let context = ScriptContext { title: title.into(), ..context(root.path()) };
    let played = play_as(&context, &script(&["print = \"{{ title }}\""]));
    assert_eq!((played.code, played.out), (0, format!("{title}\n")));
}

#[test]
fn raw_text_keeps_its_braces() {
    let root = tempfile::tempdir().unwrap();
    let text = "n=${#list} ${{ secrets.X }} {% nothing";
    let played = play(root.path(), &[&format!("write = \"a\"\nraw = true\ntext = {text:?}")]);
    assert_eq!(played.code, 0);
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), text);
}

#[test]
fn a_text_without_end_is_a_failed_step() {
    let root = tempfile::tempdir().unwrap();
    let bomb = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
    let played = play(root.path(), &[&format!("write = \"a\"\ntext = \"{bomb}\"")]);
    assert_eq!(played.code, 3);
    assert!(!root.path().join("a").exists());
}

#[test]
fn the_revision_is_asked_for_only_where_it_is_used() {
    let root = tempfile::tempdir().unwrap();
    let context = context(root.path());
    let parsed = |text: &str| orch_agents::scripted::Script::parse(text).unwrap();
    let uses = parsed(&script(&["write = \"a\"\ntext = \"{{ commit }}\""]));
    assert_eq!(perform(&uses, &context), 3, "there is no repository here");
    let speaks = parsed(&script(&["write = \"a\"\ntext = \"{{ task }}: commit\""]));
    assert_eq!(perform(&speaks, &context), 0);
}
