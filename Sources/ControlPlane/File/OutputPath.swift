import Glibc

extension Reading {
    /// The path of a file that will be written: its folder must exist, and it mustn't be a folder itself.
    ///
    /// A folder isn't made: where its name is misspelled, a new empty ledger would forget who is suspended.
    func output(_ written: String, at place: Place) -> String? {
        let path = resolve(written)
        var status = stat()
        if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            problems.error(place, "\(path) is a folder", fix: "name a file in it")
            return nil
        }
        let folder = Reading.folder(of: path)
        guard unsafe stat(folder.isEmpty ? "." : folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            problems.error(place, "the folder \(folder) does not exist", fix: "correct the path, or make it: mkdir -p \(folder)")
            return nil
        }
        return path
    }
}
