use fastrand::Rng;

use super::*;

const PAGE: usize = 4096;

fn write(offset: usize, byte: u8, length: usize) -> Event {
    Event::Write { inode: 0, offset: offset as u64, data: vec![byte; length] }
}

fn made() -> Event {
    Event::Create { name: "f".into(), inode: 0 }
}

/// Every image that a thousand throws of the dice leave.
fn images(events: &[Event], flush: Flush) -> Vec<Image> {
    let mut disk = Disk::new(events, flush);
    disk.advance(events.len());
    (0..1000).map(|seed| disk.cut(Survives::Some, &mut Rng::with_seed(seed))).collect()
}

#[test]
fn what_was_flushed_is_always_there() {
    let events = [
        made(),
        Event::SyncNames { covers: 1 },
        write(0, 1, PAGE),
        Event::Sync { inode: 0, covers: 3 },
        write(0, 2, PAGE),
    ];
    let images = images(&events, Flush::Honest);
    for image in &images {
        let content = &image.files["f"];
        assert_eq!(content.len(), PAGE);
        assert!(content.chunks(512).all(|sector| {
            sector.iter().all(|byte| *byte == 1) || sector.iter().all(|byte| *byte == 2)
        }));
    }
    let seen = |what: fn(&Image) -> bool| images.iter().any(what);
    assert!(seen(|image| image.torn == 1) && seen(|image| image.kept == 1));
    assert!(seen(|image| image.dropped == 1));
}

#[test]
fn a_flush_covers_only_what_came_before_it_began() {
    let flush = Event::Sync { inode: 0, covers: 2 };
    let events =
        [made(), write(0, 1, 512), write(512, 2, 512), flush, Event::SyncNames { covers: 1 }];
    let mut disk = Disk::new(&events, Flush::Honest);
    disk.advance(events.len());
    let image = disk.cut(Survives::Nothing, &mut Rng::with_seed(0));
    assert_eq!(image.files["f"], [1; 512]);
    let image = disk.cut(Survives::All, &mut Rng::with_seed(0));
    assert_eq!((image.files["f"].len(), image.kept), (1024, 1));
}

#[test]
fn later_writes_may_arrive_before_earlier_ones() {
    let events = [made(), Event::SyncNames { covers: 1 }, write(0, 1, 512), write(512, 2, 512)];
    let images = images(&events, Flush::Honest);
    let found = |content: &[u8]| images.iter().any(|image| image.files["f"] == content);
    let second = [vec![0; 512], vec![2; 512]].concat();
    assert!(found(&second) && found(&[1; 512]) && found(&[]) && found(&[0; 1024]));
}

#[test]
fn within_a_sector_the_later_write_brings_the_earlier_along() {
    let events = [made(), Event::SyncNames { covers: 1 }, write(0, 1, 100), write(100, 2, 100)];
    for image in images(&events, Flush::Honest) {
        let content = &image.files["f"];
        assert!(content.get(100) != Some(&2) || content[0] == 1, "{content:?}");
    }
}

#[test]
fn a_name_that_was_not_flushed_may_be_missing_or_still_there() {
    let unflushed = [made(), write(0, 1, 8), Event::Sync { inode: 0, covers: 2 }];
    let images_of_new = images(&unflushed, Flush::Honest);
    assert!(images_of_new.iter().any(|image| image.files.is_empty()));
    assert!(images_of_new.iter().any(|image| image.files.get("f").is_some_and(|f| f.len() == 8)));

    let gone = Event::Unlink { name: "f".into() };
    let again = Event::Create { name: "f".into(), inode: 1 };
    let events = [made(), Event::SyncNames { covers: 1 }, gone, again];
    let found = images(&events, Flush::Honest);
    assert!(found.iter().any(|image| image.files.is_empty()), "unlinked and not made again");
    assert!(found.iter().any(|image| image.files.contains_key("f")));
}

#[test]
fn a_resize_happens_or_not() {
    let resize = Event::Resize { inode: 0, size: 100 };
    let flush = Event::Sync { inode: 0, covers: 3 };
    let events = [made(), Event::SyncNames { covers: 1 }, write(0, 1, 512), flush, resize];
    let lengths: std::collections::BTreeSet<usize> =
        images(&events, Flush::Honest).iter().map(|image| image.files["f"].len()).collect();
    assert_eq!(lengths, [100, 512].into());
}

#[test]
fn a_disk_that_ignores_flushes_keeps_only_what_left_its_cache() {
    let flush = Event::Sync { inode: 0, covers: 3 };
    let events = [made(), write(0, 1, 512), write(512, 2, 512), flush];
    let left = |cache| {
        let mut disk = Disk::new(&events, Flush::Ignored { cache });
        disk.advance(events.len());
        disk.cut(Survives::Nothing, &mut Rng::with_seed(0)).files.get("f").map(Vec::len)
    };
    assert_eq!((left(0), left(2), left(3), left(4)), (Some(1024), Some(512), Some(0), None));
}
