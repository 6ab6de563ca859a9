//! Tests that run a part of themselves in another process: this test binary again, asked for the
//! same test, with a variable set.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PART: &str = "REDRAFT_STORE_TEST_PART";

/// What the process is asked to do, if it is not the first.
pub(super) fn part() -> Option<String> {
    env::var(PART).ok()
}

/// Runs `test` again in another process that is asked to do `part`.
pub(super) fn spawn(test: &str, part: &Path) -> Child {
    command(&env::current_exe().unwrap(), test)
        .env(PART, part)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells the process that waits for it that `number` is done.
pub(super) fn tell(number: u64) {
    // The test harness has begun a line of its own.
    println!("\ndone {number}");
}

/// The numbers that another process tells, as they come.
pub(super) fn told(child: &mut Child) -> impl Iterator<Item = u64> + use<> {
    BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("done ")?.parse().ok())
}

/// Runs `check` as a user whom permissions bind. Root is not, and so `test` runs once more.
#[cfg(unix)]
pub(super) fn unprivileged(test: &str, check: impl FnOnce()) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;

    let folder = tempfile::tempdir().unwrap();
    if fs::metadata(folder.path()).unwrap().uid() != 0 {
        return check();
    }
    // The build folder may be closed to others.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let ended = command(&program, test)
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(ended.success());
}

fn command(program: &Path, test: &str) -> Command {
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture"]);
    command
}
