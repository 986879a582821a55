import Policy
import Synchronization
import TestSupport
import Testing

@testable import Suspensions

@Suite("the suspension index")
struct SuspensionIndexTests {
    private let tenantWide = 0
    private let wholeDirectory = 1

    private func index(expecting count: Int = 0) -> SuspensionIndex { SuspensionIndex(reaches: [.tenant, .directory], expecting: count) }

    @Test("a block in the request's tenant refuses there and nowhere else")
    func tenantBlock() {
        let index = index()
        index.insert(.upstream, for: Subject(directory: tenantWide, tenant: tenant("a").id, user: user(1)))
        #expect(index.isSuspended(user(1), in: tenantWide, asking: .selected(tenant("a"))))
        #expect(!index.isSuspended(user(1), in: tenantWide, asking: .selected(tenant("b"))))
        #expect(!index.isSuspended(user(2), in: tenantWide, asking: .selected(tenant("a"))))
        #expect(!index.isSuspended(user(1), in: wholeDirectory, asking: .selected(tenant("a"))))
    }

    @Test("a block in the directory refuses whatever the tenant", arguments: [TenantQuestion.selected(tenant("a")), .among([]), .unknown])
    func directoryBlock(question: TenantQuestion) {
        let index = index()
        for directory in [tenantWide, wholeDirectory] {
            index.insert(.operator, for: Subject(directory: directory, tenant: nil, user: user(1)))
            #expect(index.isSuspended(user(1), in: directory, asking: question))
            #expect(!index.isSuspended(user(2), in: directory, asking: question))
        }
    }

    @Test("without a selected tenant any tenant of the credential refuses")
    func amongTenants() {
        let index = index()
        index.insert(.upstream, for: Subject(directory: wholeDirectory, tenant: tenant("b").id, user: user(1)))
        #expect(index.isSuspended(user(1), in: wholeDirectory, asking: .among([tenant("a"), tenant("b")])))
        #expect(!index.isSuspended(user(1), in: wholeDirectory, asking: .among([tenant("a"), tenant("c")])))
        #expect(!index.isSuspended(user(1), in: wholeDirectory, asking: .among([])))
    }

    @Test("a credential without a tenant is refused for any tenant's block where the reach is the tenant")
    func unknownTenant() {
        let index = index()
        for directory in [tenantWide, wholeDirectory] {
            index.insert(.upstream, for: Subject(directory: directory, tenant: tenant("a").id, user: user(1)))
        }
        #expect(index.isSuspended(user(1), in: tenantWide, asking: .unknown))
        #expect(!index.isSuspended(user(1), in: wholeDirectory, asking: .unknown))
    }

    @Test("a user is refused while any source stands")
    func sources() {
        let index = index()
        let subject = Subject(directory: tenantWide, tenant: tenant("a").id, user: user(1))
        #expect(index.insert(.upstream, for: subject) == [])
        #expect(index.insert(.operator, for: subject) == .upstream)
        #expect(index.remove(.upstream, for: subject) == [.upstream, .operator])
        #expect(index.isSuspended(user(1), in: tenantWide, asking: .selected(tenant("a"))))
        #expect(index.remove(.operator, for: subject) == .operator)
        #expect(!index.isSuspended(user(1), in: tenantWide, asking: .selected(tenant("a"))))
        #expect(index.remove(.operator, for: subject) == [])
        #expect(index.userCount == 0)
    }

    @Test("uuids compare without regard to case, other ids and tenants by their bytes")
    func identity() {
        let index = index()
        let spelled = UserID(Array("0190ABCD-0000-7000-8000-00000000000F".utf8).span, format: .uuid)!
        let other = UserID(Array("0190abcd-0000-7000-8000-00000000000f".utf8).span, format: .uuid)!
        index.insert(.upstream, for: Subject(directory: tenantWide, tenant: nil, user: spelled))
        #expect(index.isSuspended(other, in: tenantWide, asking: .unknown))
        index.insert(.upstream, for: Subject(directory: wholeDirectory, tenant: nil, user: named("Anna")))
        #expect(index.isSuspended(named("Anna"), in: wholeDirectory, asking: .unknown))
        #expect(!index.isSuspended(named("anna"), in: wholeDirectory, asking: .unknown))
    }

    @Test("a bucket is one cache line")
    func bucketSize() {
        #expect(MemoryLayout<Bucket>.stride == 64)
    }

    @Test("a table that grows from nothing answers for every user", arguments: [0, 25_000])
    func growth(expecting: Int) {
        let index = index(expecting: expecting)
        for number in 0..<30_000 { index.insert(.upstream, for: Subject(directory: tenantWide, tenant: nil, user: user(number))) }
        #expect(index.userCount == 30_000)
        for number in 0..<30_000 where !index.isSuspended(user(number), in: tenantWide, asking: .unknown) { Issue.record("lost \(number)") }
        for number in 30_000..<60_000 where index.isSuspended(user(number), in: tenantWide, asking: .unknown) {
            Issue.record("foreign \(number)")
        }
        for number in 0..<30_000 { index.remove(.upstream, for: Subject(directory: tenantWide, tenant: nil, user: user(number))) }
        #expect(index.userCount == 0)
    }

    @Test("a ledger that is loaded stands with every source and scope, whatever its order", arguments: [1, 4096, 4097, 60_000])
    func loading(count: Int) {
        let index = index(expecting: count)
        index.load { body in
            for number in 0..<count { body(Subject(directory: tenantWide, tenant: nil, user: user(number)), .upstream) }
            for number in 0..<count / 2 {
                body(Subject(directory: tenantWide, tenant: tenant("a").id, user: user(number)), .operator)
                body(Subject(directory: tenantWide, tenant: nil, user: user(number)), .operator)
            }
        }
        #expect(index.userCount == count)
        for number in 0..<count {
            let (everywhere, there) = (
                index.sources(of: Subject(directory: tenantWide, tenant: nil, user: user(number))),
                index.sources(of: Subject(directory: tenantWide, tenant: tenant("a").id, user: user(number)))
            )
            let isTwice = number < count / 2
            if everywhere != (isTwice ? [.upstream, .operator] : .upstream) || there != (isTwice ? .operator : []) {
                Issue.record("user \(number): \(everywhere), \(there)")
            }
        }
    }

    @Test("a ledger that fails in the middle says so, and nothing is being written behind it then", arguments: [0, 1, 4096, 50_000])
    func failingLoad(count: Int) {
        let index = index(expecting: 100_000)
        #expect(throws: LedgerError.diskFull) {
            try index.load { body throws(LedgerError) in
                for number in 0..<count { body(Subject(directory: tenantWide, tenant: nil, user: user(number)), .upstream) }
                throw .diskFull
            }
        }
        #expect(index.userCount == count / 4096 * 4096)
    }

    @Test("ten million users take less than 30 bytes each")
    func memoryPerUser() {
        let table = BlockTable(expecting: 10_000_000)
        let bytes = (1 << table.depth.load(ordering: .relaxed)) * table.bucketsPerSegment * MemoryLayout<Bucket>.stride
        #expect(bytes < 300_000_000)
    }

    @Test("random changes agree with a plain set", arguments: [UInt64(1), 2, 3])
    func model(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let index = index()
        var model: [Subject: BlockSources] = [:]
        for _ in 0..<15_000 {
            let subject = Subject(
                directory: Int.random(in: 0...1, using: &random),
                tenant: Bool.random(using: &random) ? nil : tenant("t\(Int.random(in: 0..<4, using: &random))").id,
                user: user(Int.random(in: 0..<2_500, using: &random)))
            let source = BlockSource.allCases.randomElement(using: &random)!
            let before = model[subject] ?? []
            if Int.random(in: 0..<5, using: &random) < 3 {
                #expect(index.insert(source, for: subject) == before)
                model[subject] = before.union(BlockSources(source))
            } else {
                #expect(index.remove(source, for: subject) == before)
                let left = before.subtracting(BlockSources(source))
                model[subject] = left.isEmpty ? nil : left
            }
        }
        for number in 0..<2_500 {
            for directory in 0...1 {
                for name in ["t0", "t1", "t2", "t3", "t4"] {
                    let expected =
                        model[Subject(directory: directory, tenant: nil, user: user(number))] != nil
                        || model[Subject(directory: directory, tenant: tenant(name).id, user: user(number))] != nil
                    if index.isSuspended(user(number), in: directory, asking: .selected(tenant(name))) != expected {
                        Issue.record("user \(number), directory \(directory), tenant \(name): expected \(expected)")
                    }
                }
            }
        }
    }
}

func tenant(_ name: String) -> TenantID { TenantID(Array(name.utf8).span, format: .string)! }
func user(_ number: Int) -> UserID { UserID(.uuid(UUIDBits(high: 0x0190_0000_0000_7000, low: UInt64(number)))) }
func named(_ name: String) -> UserID { UserID(Array(name.utf8).span, format: .string)! }
