//! A disk that fills up: the run ends resumable, and goes on once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::{Place, Redraft, Server, lines};

/// A small file system of its own, gone at the end of the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir(at).expect("a folder");
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            Some(Self(at.to_owned()))
        } else {
            eprintln!("skipped: a small disk cannot be mounted here");
            None
        }
    }

    fn grow(&self, kilobytes: u32) {
        let size = format!("remount,size={kilobytes}k");
        let grown = Command::new("mount")
            .args(["-o", &size])
            .arg(&self.0)
            .status();
        assert!(
            grown.is_ok_and(|status| status.success()),
            "the disk cannot be made larger"
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const COUNT: usize = 400;

#[test]
fn a_store_without_room_ends_the_run_resumable() {
    let place = Place::with_manners();
    let Some(disk) = SmallDisk::mount(&place.path("disk"), 600) else {
        return;
    };
    let padding = "word ".repeat(200);
    place.write_prompts(
        "in.jsonl",
        (0..COUNT).map(|n| format!("draft: Row {n}. {padding}!be-kind")),
    );
    let server = Server::start();
    let command =
        "run in.jsonl -o out.jsonl -c manners.yaml --store disk/redraft.db --concurrency 8";
    place
        .redraft(command)
        .model(&server)
        .run()
        .exits(1)
        .says("the disk under the store disk/redraft.db is full")
        .says("make room and run the same command again");
    assert!(!place.has("out.jsonl"));
    let before = server.count();
    assert!(before < 4 * COUNT, "it stopped on the way");
    disk.grow(50_000);
    place.redraft(command).model(&server).run().exits(0);
    let out = place.json_lines("out.jsonl");
    assert_eq!(out.len(), COUNT);
    assert!(
        out.iter()
            .all(|row| row["redraft"]["outcome"] == "compliant")
    );
    // What was journalled is not asked again: at most what was in flight when the disk was full.
    assert!(
        server.repeated() <= 24,
        "{} calls were asked again",
        server.repeated()
    );
    assert_eq!(server.count() - server.repeated(), 4 * COUNT);
}

#[test]
fn an_output_without_room_leaves_what_was_there() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place.path("disk"), 64) else {
        return;
    };
    let answer = "Fine. ".repeat(50);
    let rows = lines((0..500).map(|n| json!({ "prompt": n.to_string(), "answer": answer })));
    place.write("in.jsonl", rows);
    place.write("disk/out.jsonl", "old\n");
    let command = || Redraft::new(place.folder()).args(["run", "in.jsonl", "-o", "disk/out.jsonl"]);
    command()
        .run()
        .exits(1)
        .says("is full; make room and run the same command again");
    assert_eq!(place.read("disk/out.jsonl"), "old\n");
    let left: Vec<_> = std::fs::read_dir(place.path("disk"))
        .expect("the disk")
        .collect();
    assert_eq!(left.len(), 1, "{left:?}");
    disk.grow(5_000);
    command().run().exits(0).says("500 rows read");
    assert_eq!(place.json_lines("disk/out.jsonl").len(), 500);
}
