import Foundation
import Glibc
import Policy
import Testing

@testable import Suspensions

/// A file system of its own that is really full, where this user may mount one.
@Suite("a full disk", .enabled(if: SmallDisk.canMount, "only root may mount a small file system"))
struct FullDiskTests {
    @Test("fails whole transactions, and the ledger goes on by itself when there is room again")
    func fullAndFreed() throws {
        let disk = try SmallDisk()
        let store = try SQLiteLedger(path: disk.path("ledger.db"), directories: bothDirectories, digest: testDigest)
        try store.commit([outcome(anna, .state(.suspended))])
        for round in 0..<3 {
            let before = try store.blockCount()
            try disk.fill()
            var failed = 0
            for number in 0..<20 {
                let people = (0..<50).map { outcome(person(round * 10_000 + number * 50 + $0), .state(.suspended)) }
                do { try store.commit(people) } catch { failed += 1 }
            }
            #expect(failed > 0)
            #expect(try (store.blockCount() - before) % 50 == 0)
            disk.free()
            try store.commit([outcome(bob, .state(round % 2 == 0 ? .suspended : .active))])
            #expect(try store.verify() >= 1)
        }
        let count = try store.blockCount()
        store.close()
        let again = try SQLiteLedger(path: disk.path("ledger.db"), directories: bothDirectories, digest: testDigest)
        #expect(try again.blockCount() == count)
        #expect(try again.verify() >= 1)
        again.close()
    }
}

/// Two megabytes of memory, mounted; gone when the last reference goes.
private final class SmallDisk {
    private let folder: URL

    static var canMount: Bool { geteuid() == 0 && (try? SmallDisk()) != nil }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "small-disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard unsafe mount("tmpfs", folder.path, "tmpfs", 0, "size=2m") == 0 else {
            try? FileManager.default.removeItem(at: folder)
            throw POSIXError(.EPERM)
        }
    }

    deinit {
        unsafe umount2(folder.path, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Takes all the room that is left.
    func fill() throws {
        _ = FileManager.default.createFile(atPath: path("filler"), contents: nil)
        let filler = try FileHandle(forWritingTo: folder.appending(path: "filler"))
        while (try? filler.write(contentsOf: Data(count: 4096))) != nil {}
        try filler.close()
    }

    func free() { try? FileManager.default.removeItem(atPath: path("filler")) }
}
