import Glibc

/// inotify(7) on folders. Belongs to one thread.
final class FolderWatch {
    /// Readable when something has happened.
    let descriptor: CInt
    private var folders: [CInt: String] = [:]

    /// What ends a change of a file's content or of who may read it; a new file counts when its writer closes it.
    private static let mask =
        UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_TO) | UInt32(IN_MOVED_FROM) | UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_ATTRIB)
        | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
    /// Room for the events of one read(2).
    private static let size = 64 * 1024

    /// Throws the system's reason.
    init() throws(FileError) {
        descriptor = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        guard descriptor >= 0 else { throw FileError(reason: errorText(errno)) }
    }

    deinit { close(descriptor) }

    /// Watches exactly these folders. The system's reason for the first that can't be.
    func watch(_ wanted: Set<String>) -> FileError? {
        var failure: FileError?
        var now: [CInt: String] = [:]
        for folder in wanted {
            let watch = unsafe inotify_add_watch(descriptor, folder, Self.mask)
            if watch >= 0 { now[watch] = folder } else { failure = failure ?? FileError(reason: "\(folder): \(errorText(errno))") }
        }
        for watch in folders.keys where now[watch] == nil { inotify_rm_watch(descriptor, watch) }
        folders = now
        return failure
    }

    /// Takes all events there are; true when one of them counts.
    func take(_ places: WatchedPlaces) -> Bool {
        var counts = false
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.size, alignment: 8)
        defer { unsafe buffer.deallocate() }
        while true {
            let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
            guard count > 0 else { return counts }
            var offset = 0
            while offset < count {
                let event = unsafe buffer.load(fromByteOffset: offset, as: inotify_event.self)
                let start = offset + MemoryLayout<inotify_event>.size
                let name = unsafe buffer[start..<start + Int(event.len)].prefix { $0 != 0 }
                if unsafe self.counts(event, String(decoding: name, as: UTF8.self), places) { counts = true }
                offset = start + Int(event.len)
            }
        }
    }

    private func counts(_ event: inotify_event, _ name: String, _ places: WatchedPlaces) -> Bool {
        // Without a name it is about the folder itself, or events were lost.
        guard event.len > 0, let folder = folders[event.wd] else { return event.mask & UInt32(IN_IGNORED) == 0 }
        guard places.counts(name, in: folder) else { return false }
        guard event.mask & UInt32(IN_CREATE) != 0 else { return true }
        // A file that is being written counts when it is closed; a link or a folder never is.
        var status = stat()
        return unsafe lstat("\(folder)/\(name)", &status) == 0 && (status.st_mode & S_IFMT != S_IFREG || status.st_nlink > 1)
    }
}
