//! Who sits at this machine.

/// The name that the system has for whoever runs this, if it has one.
pub(super) fn person() -> Option<String> {
    let of = |variable| std::env::var(variable).ok();
    let mut names = ["USER", "USERNAME"].into_iter().filter_map(of);
    names.find(|name| !name.trim().is_empty())
}
