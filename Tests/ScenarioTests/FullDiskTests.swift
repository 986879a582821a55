import Foundation
import Glibc
import TestSupport
import Testing

/// The ledger's disk is full: suspensions hold in memory, reactivations are refused, everything else goes on (SPEC §4).
@Suite("the ledger's disk is full", .serialized, .timed)
struct FullDiskTests {
    @Test(
        "a suspension is 503 but in force, a reactivation refused unsent, and both work again when there is room", arguments: Dialect.both)
    func full(_ dialect: Dialect) throws {
        guard geteuid() == 0, let disk = try? SmallDisk() else {
            print("SKIPPED: a full disk needs root and mount(8) for a small tmpfs")
            return
        }
        let world = try World { $0.ledgerFolder = disk.path }
        #expect(
            try world.gateway.ask(dialect.setActive(false, dialect.protected == TestIssuers.rootUser ? "usr_mia" : dialect.admin)).status
                == 200)
        try disk.fill()
        var suspended = try world.gateway.ask(dialect.setActive(false, dialect.member, token: caller(dialect)))
        for _ in 0..<200 where suspended.status == 200 {  // what is left of a page that was allocated before
            _ = try world.gateway.ask(dialect.setActive(true, dialect.member, token: caller(dialect)))
            suspended = try world.gateway.ask(dialect.setActive(false, dialect.member, token: caller(dialect)))
        }
        #expect(suspended.status == 503)
        #expect(suspended.gatewayCode == "suspension_not_durable")
        #expect(try world.isBlocked(dialect.member, dialect) == true, "held in memory")
        #expect(try world.isSuspendedAtService(dialect.member, dialect) == true, "forwarded all the same")

        let before = try world.commitNumber(dialect.member, dialect)
        let reactivated = try world.gateway.ask(dialect.setActive(true, dialect.member, token: caller(dialect)))
        #expect(reactivated.status == 503)
        #expect(reactivated.gatewayCode == "suspension_not_durable")
        #expect(try world.commitNumber(dialect.member, dialect) == before, "refused before it is forwarded")
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        #expect(isBlocked(try world.gateway.ask(dialect.probe(caller(dialect)))) == false, "everything else goes on")

        try disk.makeRoom()
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member, token: caller(dialect))).status == 200)
        try world.killAndRestart()
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.member, token: caller(dialect))).status == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == false)
    }

    @Test("a block by hand is 503 but in force, a lift 503 and nothing, and both work again when there is room")
    func byHand() throws {
        guard geteuid() == 0, let disk = try? SmallDisk() else {
            print("SKIPPED: a full disk needs root and mount(8) for a small tmpfs")
            return
        }
        let world = try World {
            $0.ledgerFolder = disk.path
            $0.admin = true
        }
        let dialect = Dialect.rinne
        let wish = TestAdmin.wish("rinne", dialect.member)
        func post(_ path: String) throws -> WireAnswer { try world.gateway.admin("POST", path, body: wish) }
        #expect(try post("/api/suspensions").status == 200)
        #expect(try post("/api/suspensions/lift").status == 200)
        try disk.fill()
        var added = try post("/api/suspensions")
        for _ in 0..<300 where added.status == 200 {  // what is left of a page that was allocated before
            if try post("/api/suspensions/lift").status == 503 { break }
            added = try post("/api/suspensions")
        }
        if added.status == 200 { added = try post("/api/suspensions") }
        #expect(added.status == 503 && added.code == "suspension_not_durable", "\(added.text)")
        #expect(added.text.contains("In force here, but not on disk"))
        #expect(try world.isBlocked(dialect.member, dialect) == true, "held in memory")
        let lifted = try post("/api/suspensions/lift")
        #expect(lifted.status == 503 && lifted.text.contains("Nothing has changed"), "\(lifted.text)")
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        let line = #"{"directory":"rinne","user":"usr_list"}"#
        let imported = try world.gateway.admin("POST", "/api/suspensions/import", type: "application/x-ndjson", body: line)
        #expect(
            imported.status == 503 && (imported.json?["details"] as? [String: Int]) == ["durable": 0, "in_force": 1], "\(imported.text)")
        #expect(try world.isBlocked("usr_list", dialect) == true)
        let news = "admin: ops suspended user \"\(dialect.member)\" in all tenants of directory rinne: \"INC-4711\": IN FORCE, NOT DURABLE"
        #expect(world.gateway.process.errorText.contains(news))
        let status = try world.gateway.admin("GET", "/api/status").json
        #expect(status?["ready"] as? Bool == false && (status?["ledger"] as? [String: Any])?["writable"] as? Bool == false)

        try disk.makeRoom()
        #expect(try post("/api/suspensions").status == 200)
        try world.killAndRestart()
        #expect(try world.isBlocked(dialect.member, dialect) == true)
    }

    /// An admin who is never suspended here.
    private func caller(_ dialect: Dialect) -> String { dialect.token(dialect.protected, roles: ["admin"]) }
}

/// A tmpfs of half a megabyte. Unmounted with the object.
final class SmallDisk {
    private let folder: TemporaryFolder
    let path: String

    init() throws {
        folder = try TemporaryFolder("tenantgate-disk")
        path = folder.path("disk")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let result = try ChildProcess.run("mount", ["-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", path], in: folder)
        guard result.status == 0 else { throw ChildFailed(program: "mount", errors: result.errors) }
    }

    deinit { _ = try? ChildProcess.run("umount", ["-l", path], in: folder) }

    /// Writes until nothing fits any more.
    func fill() throws {
        _ = try ChildProcess.run("dd", ["if=/dev/zero", "of=\(path)/ballast", "bs=4096"], in: folder)
    }

    func makeRoom() throws { try FileManager.default.removeItem(atPath: "\(path)/ballast") }
}
