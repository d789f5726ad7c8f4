//! A log in pieces reads as one.

use orch_objects::{CHUNK, Key, LogPiece, MAX_LOG, Objects};

use super::support::{run, with_both};

/// A log of two full pieces and a bit, each byte telling where it is.
fn sample() -> Vec<u8> {
    (0..2 * CHUNK + 1000).map(|at| (at % 251) as u8).collect()
}

fn put(objects: &Objects, log: &[u8]) {
    for (number, piece) in log.chunks(CHUNK as usize).enumerate() {
        objects.put(&Key::log_chunk(&run(1), number as u32), piece.to_vec()).unwrap();
    }
}

#[test]
fn every_range_of_a_log_is_what_was_written_there() {
    with_both(|objects| {
        let log = sample();
        assert_eq!(objects.log_length(&run(1)).unwrap(), 0);
        put(objects, &log);
        objects.put(&Key::exit(&run(1)), b"not of the log".to_vec()).unwrap();
        assert_eq!(objects.log_length(&run(1)).unwrap(), log.len() as u64);
        let length = log.len() as u64;
        let table = [
            (0, 10),
            (0, log.len()),
            (0, log.len() + 1),
            (CHUNK - 1, 2),
            (CHUNK - 1, 1),
            (CHUNK, CHUNK as usize),
            (5, 2 * CHUNK as usize),
            (length - 3, 2),
            (length - 3, 3),
            (length - 3, 100),
            (length, 1),
            (length, 0),
            (0, 0),
            (CHUNK, 0),
            (length + CHUNK, 7),
            (MAX_LOG, 7),
            (u64::MAX, 7),
        ];
        for (offset, max) in table {
            let from = offset.min(length) as usize;
            let until = from.saturating_add(max).min(log.len());
            let expected = LogPiece { bytes: log[from..until].to_vec(), end: until == log.len() };
            let read = objects.read_log(&run(1), offset, max).unwrap();
            assert!(
                read == expected,
                "{max} bytes at {offset}: {} bytes, {}",
                read.bytes.len(),
                read.end
            );
        }
    });
}

/// A reader can't know that a full piece is the last one; the next read tells.
#[test]
fn a_log_that_ends_with_a_full_piece_is_read_to_its_end() {
    with_both(|objects| {
        let log = &sample()[..CHUNK as usize];
        put(objects, log);
        let read = objects.read_log(&run(1), 0, 2 * CHUNK as usize).unwrap();
        assert!(read.bytes == log && read.end);
        let read = objects.read_log(&run(1), 0, CHUNK as usize).unwrap();
        assert!(read.bytes == log && !read.end);
        let read = objects.read_log(&run(1), CHUNK, 10).unwrap();
        assert_eq!(read, LogPiece { bytes: Vec::new(), end: true });
    });
}
