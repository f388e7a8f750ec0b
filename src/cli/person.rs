//! Who gives a command, as far as the machine knows.

/// The longest name that is recorded, in characters.
const LONGEST: usize = 100;

/// The person and the machine, such as `ada@erp-1`. Whoever became root has a name of their own.
pub(super) fn who() -> String {
    let from = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let person = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(from);
    let person = person.unwrap_or_else(|| "somebody".to_owned());
    let host = host().map(|host| format!("@{host}")).unwrap_or_default();
    format!("{person}{host}").chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(unix)]
fn host() -> Option<String> {
    let name = rustix::system::uname();
    name.nodename().to_str().ok().filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(not(unix))]
fn host() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}
