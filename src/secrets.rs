//! Secrets by reference: `env:NAME`, `file:PATH`, `cmd:COMMAND`. A configuration never holds the secret itself.

use std::process::{Command, Stdio};

use crate::wire::Secret;

/// Why a secret cannot be had. It says which reference it was and nothing of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(String);

fn refuse<T>(why: String) -> Result<T, SecretError> {
    Err(SecretError(why))
}

/// Fetches the secret of a reference; `setting` is its name in the configuration, for messages.
///
/// # Errors
/// When there is none, when others can read it, or when the text is no reference.
pub fn fetch(setting: &str, reference: &str) -> Result<Secret, SecretError> {
    let text = match reference.split_once(':') {
        // A name that is none may be the secret itself, so it is not shown either.
        Some(("env", name)) if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
            return refuse(format!("{setting}: what stands behind env: is not the name of a variable"));
        }
        Some(("env", name)) => match std::env::var(name) {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => {
                return refuse(format!("{setting}: the environment has no variable {name}; set it"));
            }
            Err(std::env::VarError::NotUnicode(_)) => return refuse(format!("{setting}: the variable {name} is not text")),
        },
        Some(("file", path)) => read_file(setting, path)?,
        Some(("cmd", command)) => run(setting, command)?,
        // The value may well be the secret itself, so it is not shown.
        _ => {
            return refuse(format!(
                "{setting}: not a reference; write env:NAME, file:PATH or cmd:COMMAND, never the secret itself"
            ));
        }
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        let kind = reference.split(':').next().unwrap_or_default();
        return refuse(format!("{setting}: the secret is empty ({kind}:…)"));
    }
    Ok(Secret::new(text))
}

fn read_file(setting: &str, path: &str) -> Result<String, SecretError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                return refuse(format!("{setting}: others can read {path}; close it with: chmod 600 {path}"));
            }
            Ok(_) => {}
            Err(error) => return refuse(format!("{setting}: {path} cannot be read: {error}")),
        }
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(_)) => refuse(format!("{setting}: {path} is not text")),
        Err(error) => refuse(format!("{setting}: {path} cannot be read: {error}")),
    }
}

fn run(setting: &str, command: &str) -> Result<String, SecretError> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell).args([flag, command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout).or_else(|_| refuse(format!("{setting}: the command printed no text")))
        }
        Ok(output) => refuse(format!("{setting}: the command failed ({})", output.status)),
        Err(error) => refuse(format!("{setting}: the command cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_repeated() {
        let error = fetch("master_key", "canary-in-plain-sight").unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(error.to_string().contains("master_key"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "the key\n").unwrap();
        let reference = format!("file:{}", file.path().display());
        let mode = |mode| std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        assert_eq!(fetch("k", &reference).unwrap().expose(), "the key");
        for open in [0o644, 0o640, 0o604] {
            mode(open);
            assert!(fetch("k", &reference).unwrap_err().to_string().contains("chmod"));
        }
        mode(0o600);
        std::fs::write(file.path(), "\n").unwrap();
        assert!(fetch("k", &reference).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_command_may_print_it() {
        assert_eq!(fetch("k", "cmd:printf 'a:b\n'").unwrap().expose(), "a:b");
        assert!(fetch("k", "cmd:exit 3").is_err());
        assert!(fetch("k", "env:PAYABLES_NO_SUCH_VARIABLE").is_err());
    }
}
