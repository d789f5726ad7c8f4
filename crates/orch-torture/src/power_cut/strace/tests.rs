use std::path::Path;

use super::*;

fn calls(log: &str) -> Result<Vec<Call>, String> {
    let mut reader = Reader::default();
    let lines = log.lines().map(|line| reader.line(line));
    lines.filter_map(Result::transpose).collect()
}

fn one(line: &str) -> Call {
    let calls = calls(line).unwrap();
    assert_eq!(calls.len(), 1, "{line}");
    calls[0].clone()
}

#[test]
fn a_write_is_taken_apart() {
    let call = one(r#"17 pwrite64(5<\x2f\x61\x20\x62>, "\x00\xff\x22", 3, 4096) = 3"#);
    assert_eq!((call.name.as_str(), call.args.len()), ("pwrite64", 4));
    let file = descriptor(call.arg(0).unwrap()).unwrap();
    assert_eq!(file, Descriptor { path: Some(Path::new("/a b").into()), deleted: false });
    assert_eq!(bytes(call.arg(1).unwrap()).unwrap(), [0, 0xff, b'"']);
    assert_eq!(number(call.arg(3).unwrap()), Ok(4096));
    assert_eq!((call.returned.as_str(), call.succeeded()), ("3", true));
    assert!(call.arg(4).is_err());
}

#[test]
fn calls_that_interrupt_each_other_are_joined() {
    let log = "1 fsync(5<\\x61> <unfinished ...>\n\
               2 pwrite64(6<\\x62>, \"\\x01\", 1, 0 <unfinished ...>\n\
               3 write(1<\\x63>, \"\\x02\", 1) = 1\n\
               1 <... fsync resumed>)              = 0\n\
               2 <... pwrite64 resumed>) = 1\n";
    let seen: Vec<_> = calls(log)
        .unwrap()
        .into_iter()
        .map(|call| (call.name, call.args.len(), call.began, call.ended, call.returned))
        .collect();
    let expected = [("write", 3, 2, 2, "1"), ("fsync", 1, 0, 3, "0"), ("pwrite64", 4, 1, 4, "1")];
    for (seen, (name, args, began, ended, returned)) in seen.iter().zip(expected) {
        assert_eq!(*seen, (name.to_owned(), args, began, ended, returned.to_owned()));
    }
    assert_eq!(seen.len(), expected.len());
}

#[test]
fn odd_lines_are_read_or_refused_and_never_overlooked() {
    let failed = "1 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x78\", O_RDONLY) = -1 ENOENT (No such file)";
    assert!(!one(failed).succeeded());
    assert!(!one("1 fsync(3<\\x61>) = ? ERESTARTSYS (To be restarted)").succeeded());
    assert_eq!(one("1 sync() = 0").args, [""; 0]);
    let iov = one("1 writev(3<\\x61>, [{iov_base=\"\\x61\", iov_len=1}, {iov_len=2}], 2) = 3");
    assert_eq!((iov.args.len(), iov.args[2].as_str()), (3, "2"));
    let socket = one("1 write(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"\\x61\", 1) = 1");
    assert_eq!(socket.args.len(), 3);
    let gone = one("1 write(3<\\x61>(deleted), \"\\x61\", 1) = 1");
    assert!(descriptor(gone.arg(0).unwrap()).unwrap().deleted);
    assert_eq!(descriptor("AT_FDCWD").unwrap().path, None);

    for quiet in ["1 +++ exited with 0 +++", "1 --- SIGCHLD {si_signo=SIGCHLD} ---"] {
        assert_eq!(calls(quiet), Ok(vec![]), "{quiet}");
    }
    let refused = [
        "\n",
        "strace: Process 7 attached",
        "1 nonsense",
        "1 fsync(3<\\x61>",
        "1 fsync(3<\\x61>)",
        "1 write(3, }, 1) = 1",
        "1 <... fsync resumed>) = 0",
        "1 <... fsync",
        "1 fsync(3 <unfinished ...>\n1 fsync(3 <unfinished ...>",
        "1 fsync(3 <unfinished ...>\n1 <... write resumed>) = 0",
    ];
    for log in refused {
        assert!(calls(log).is_err(), "{log}");
    }
    for text in ["", "x", "\"x", "\"\\x61\"...", "\"\\x6\"", "\"\\n\"", "\"\\xgg\"", "\"a\"b"] {
        assert!(bytes(text).is_err(), "{text}");
    }
    assert_eq!(path("\"\\x2fa\"").unwrap(), Path::new("/a"));
    assert!(number("0x10").is_err() && number("-1").is_err() && descriptor("3<a").is_err());
}
