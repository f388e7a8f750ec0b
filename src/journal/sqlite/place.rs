//! Where the journal lies: its path, the files beside it, and whether the file system keeps what is given to it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::journal::{Error, Result};

/// File systems that do not keep the promises that a write-ahead log is built on.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "smb2",
    "ncpfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "ocfs2",
    "gfs2",
    "fuse.sshfs",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.davfs",
    "fuse.davfs2",
    "fuse.ceph",
    "fuse.cephfs",
    "fuse.ceph-fuse",
    "fuse.goofys",
    "fuse.juicefs",
    "fuse.mount-s3",
    "fuse.blobfuse",
    "fuse.blobfuse2",
    "fuse.curlftpfs",
    "fuse.smbnetfs",
    "fuse.gvfsd-fuse",
    "fuse.moosefs",
    "fuse.mfs",
    "fuse.seaweedfs",
    "fuse.nfs",
    "fuse.afpfs",
    "davfs",
    "davfs2",
    "fuse.s3ql",
    "fuse.onedriver",
    "fuse.google-drive-ocamlfuse",
];

/// The files of a journal.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The database.
    pub(super) path: PathBuf,
    folder: PathBuf,
}

impl Place {
    /// Finds the folder; two names of one file come to the same place, so that they share one lock.
    pub(super) fn find(path: &Path) -> Result<Self> {
        let unusable = |path: &Path, what: String| Error::Unusable(format!("the journal {}: {what}", path.display()));
        let name = path.file_name().ok_or_else(|| unusable(path, "this is not the name of a file".to_owned()))?;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = fs::canonicalize(folder).map_err(|error| {
            unusable(path, format!("the folder {} cannot be used ({error}); make it first", folder.display()))
        })?;
        let path = folder.join(name);
        let path = if path.exists() {
            fs::canonicalize(&path).map_err(|error| unusable(&path, format!("it cannot be found: {error}")))?
        } else {
            path
        };
        if path.is_dir() {
            return Err(unusable(&path, "this is a folder; give the name of a file in it".to_owned()));
        }
        let folder = path.parent().map_or(folder, Path::to_owned);
        Ok(Self { path, folder })
    }

    /// The file beside the database with this ending.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        PathBuf::from(name)
    }

    /// A problem with one of the files, as a sentence.
    pub(super) fn unusable(&self, what: impl std::fmt::Display) -> Error {
        Error::Unusable(format!("{} {what}", self.path.display()))
    }

    /// Makes the database file, for nobody else to read. It is not made where there is one.
    pub(super) fn create(&self) -> Result<()> {
        match options().create_new(true).open(&self.path).and_then(|file| file.sync_all()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(self.unusable(format_args!("cannot be made: {error}; look at who may write to the folder")))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that the names of new files outlive a power loss, too.
    pub(super) fn sync_folder(&self) -> Result<()> {
        if cfg!(unix) {
            let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| self.unusable(format_args!("lies in a folder that cannot be synced: {error}")))?;
        }
        Ok(())
    }

    /// Refuses a network file system.
    pub(super) fn refuse_network(&self) -> Result<()> {
        // Only Linux tells in this way; where there is no such file, nobody can be asked.
        let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return Ok(()) };
        let Some(kind) = file_system(&mounts, &self.folder) else { return Ok(()) };
        if NETWORK.contains(&kind.as_str()) {
            return Err(self.unusable(format_args!(
                "lies on a network file system ({kind}), which can lose what was stored; put it on a local disk"
            )));
        }
        if kind == "9p" {
            tracing::warn!(path = %self.path.display(), "the journal lies on 9p, which may not keep what was stored after a power loss");
        }
        Ok(())
    }

    /// How many bytes are free for this user; `None` where nobody tells.
    #[cfg(unix)]
    pub(super) fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.folder).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    #[cfg(not(unix))]
    pub(super) fn free(&self) -> Option<u64> {
        None
    }
}

/// Options to open a file that only its owner may read.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The kind of file system that a folder lies on, after the text of `/proc/self/mountinfo`.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        // 36 35 98:0 /root /mount/point options optional… - kind source options
        let Some((head, tail)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (head.split(' ').nth(4), tail.split(' ').next()) else { continue };
        let point = unescape(point);
        let depth = Path::new(&point).components().count();
        // Of two that are mounted on one point, the later one hides the earlier one.
        if folder.starts_with(&point) && best.is_none_or(|(most, _)| depth >= most) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

/// Spaces, tabs, line feeds and backslashes in a mount point are written as `\040`, `\011`, `\012`, `\134`.
fn unescape(text: &str) -> OsString {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                Some(((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), tail))
            }
            _ => None,
        };
        let (byte, tail) = escaped.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = tail;
    }
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(not(unix))]
    return String::from_utf8_lossy(&bytes).into_owned().into();
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
40 22 0:50 / /mnt/share rw shared:5 master:2 - nfs4 host:/export rw
41 22 0:51 / /mnt/with\\040space rw - cifs //host/share rw
42 40 0:52 / /mnt/share/local rw - xfs /dev/vdb rw
43 22 0:53 / /mnt/remote rw - fuse.sshfs me@host: rw
44 22 0:54 / /mnt/layers rw - fuse.fuse-overlayfs fuse-overlayfs rw
45 22 0:55 / /mnt/twice rw - ext4 /dev/vdc rw
46 45 0:56 / /mnt/twice rw - nfs host:/b rw
broken line
";

    #[test]
    fn the_longest_mount_point_that_is_above_counts() {
        let kind = |folder: &str| file_system(MOUNTS, Path::new(folder)).unwrap();
        assert_eq!(kind("/home/me"), "ext4");
        assert_eq!(kind("/mnt/share/payables"), "nfs4");
        assert_eq!(kind("/mnt/shared"), "ext4");
        assert_eq!(kind("/mnt/share/local/x"), "xfs");
        assert_eq!(kind("/mnt/with space/x"), "cifs");
        assert_eq!(kind("/mnt/remote"), "fuse.sshfs");
        assert_eq!(kind("/mnt/layers/x"), "fuse.fuse-overlayfs");
        assert_eq!(kind("/mnt/twice"), "nfs");
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        for network in ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.juicefs"] {
            assert!(NETWORK.contains(&network), "{network}");
        }
        for local in ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuse.fuse-overlayfs", "9p", "apfs"] {
            assert!(!NETWORK.contains(&local), "{local}");
        }
    }

    #[test]
    fn escapes_of_mount_points_are_read() {
        assert_eq!(unescape("/a\\040b\\134c\\011"), OsString::from("/a b\\c\t"));
        assert_eq!(unescape("/a\\04"), OsString::from("/a\\04"));
        assert_eq!(unescape("/\\303\\244"), OsString::from("/ä"));
    }
}
