use super::*;
use crate::power_cut::strace::Reader;

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| format!("{all}\\x{byte:02x}"))
}

/// Writes `{text}` in the log's way, so that the cases can be read.
fn log(lines: &[&str]) -> Result<History, String> {
    let mut reader = Reader::default();
    let mut builder = Builder::default();
    for line in lines {
        let mut text = String::new();
        for (index, part) in line.split(['{', '}']).enumerate() {
            text.push_str(&if index % 2 == 1 { hex(part) } else { part.to_owned() });
        }
        if let Some(call) = reader.line(&text)? {
            builder.call(&call)?;
        }
    }
    builder.finish()
}

const MADE: &str =
    r#"1 openat(AT_FDCWD<{/}>, "{/d/orch.db}", O_RDWR|O_CREAT, 0600) = 5<{/d/orch.db}>"#;

#[test]
fn calls_become_the_events_of_a_disk() {
    let history = log(&[
        r#"1 openat(AT_FDCWD<{/}>, "{/lib/x.so}", O_RDONLY) = 3<{/lib/x.so}>"#,
        MADE,
        MADE,
        r#"1 pwrite64(5<{/d/orch.db}>, "{abc}", 3, 7) = 2"#,
        "1 fsync(5<{/d/orch.db}> <unfinished ...>",
        r#"2 pwrite64(5<{/d/orch.db}>, "{z}", 1, 0) = 1"#,
        "1 <... fsync resumed>) = 0",
    ])
    .unwrap();
    let write = |offset, data: &str| Event::Write { inode: 0, offset, data: data.into() };
    let made = Event::Create { name: "orch.db".into(), inode: 0 };
    let sync = Event::Sync { inode: 0, covers: 2 };
    assert_eq!(history.events, [made, write(7, "ab"), write(0, "z"), sync]);
}

#[test]
fn names_that_are_given_anew_are_new_files() {
    let wal = r#"1 openat(AT_FDCWD<{/}>, "{/d/orch.db-wal}", O_RDWR|O_CREAT, 0600) = 6<{/d/orch.db-wal}>"#;
    let history = log(&[
        MADE,
        wal,
        r#"1 openat(AT_FDCWD<{/}>, "{/d}", O_RDONLY) = 7<{/d}>"#,
        "1 fsync(7<{/d}>) = 0",
        r#"1 unlink("{/d/orch.db-wal}") = 0"#,
        r#"1 pwrite64(6<{/d/orch.db-wal}>(deleted), "{a}", 1, 0) = 1"#,
        r#"1 unlinkat(AT_FDCWD<{/d}>, "{other}", 0) = -1 ENOENT (No such file)"#,
        wal,
        "1 ftruncate(6<{/d/orch.db-wal}>, 9) = 0",
        r#"1 rename("{/d/orch.db-wal}", "{/d/old}") = 0"#,
        "1 ftruncate(8<{/d/orch.db-shm}>, 32768) = 0",
    ])
    .unwrap();
    let create = |name: &str, inode| Event::Create { name: name.into(), inode };
    let expected = [
        create("orch.db", 0),
        create("orch.db-wal", 1),
        Event::SyncNames { covers: 2 },
        Event::Unlink { name: "orch.db-wal".into() },
        create("orch.db-wal", 2),
        Event::Resize { inode: 2, size: 9 },
        Event::Rename { from: "orch.db-wal".into(), to: "old".into() },
    ];
    assert_eq!(history.events, expected);
}

#[test]
fn an_acknowledgement_counts_from_its_beginning() {
    let ack = hex(r#"{"op":"noted","token":"x"}"#);
    let begun = format!("2 write(9<{{/j/acknowledged.jsonl}}>, \"{ack}\", 26 <unfinished ...>");
    let history = log(&[
        MADE,
        &begun,
        r#"1 pwrite64(5<{/d/orch.db}>, "{a}", 1, 0) = 1"#,
        "2 <... write resumed>) = 26",
    ])
    .unwrap();
    assert_eq!(history.acks, [(1, Ack::Noted { token: "x".into() })]);
}

#[test]
fn what_the_replay_does_not_know_is_refused() {
    let refused = [
        "1 writev(5<{/d/orch.db}>, [{iov}], 1) = 1",
        r#"1 write(5<{/d/orch.db}>, "{a}", 1) = 1"#,
        "1 fallocate(5<{/d/orch.db}>, 0, 0, 4096) = 0",
        "1 sync() = 0",
        r#"1 link("{/d/orch.db}", "{/d/two}") = 0"#,
        "1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5<{/d/orch.db}>, 0) = 0x7f",
        r#"1 pwrite64(6<{/d/orch.db-wal}>, "{a}", 1, 0) = 1"#,
        r#"1 pwrite64(5<{/d/orch.db}>, "{a}", 2, 0) = 2"#,
        r#"1 openat(AT_FDCWD<{/}>, "{/d/orch.db}", O_RDWR|O_DSYNC) = 5<{/d/orch.db}>"#,
        r#"1 rename("{/d/orch.db}", "{/elsewhere}") = 0"#,
        "1 ioctl(5<{/d/orch.db}>, 7) = 0",
    ];
    for line in refused {
        assert!(log(&[MADE, line]).is_err(), "{line}");
    }
    let harmless = [
        "1 mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 5<{/d/orch.db-shm}>, 0) = 0x7f",
        "1 mmap(NULL, 4096, PROT_READ, MAP_SHARED, 5<{/d/orch.db}>, 0) = 0x7f",
        r#"1 write(2<{/dev/tty}>, "{a}", 1) = 1"#,
        "1 fallocate(5<{/d/orch.db}>, 0, 0, 4096) = -1 EOPNOTSUPP (Operation not supported)",
    ];
    for line in harmless {
        assert!(log(&[MADE, line]).is_ok(), "{line}");
    }
    assert!(log(&[]).is_err());
}
