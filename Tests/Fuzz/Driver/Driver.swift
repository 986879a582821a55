import FuzzChecks
import Glibc

/// The check that the environment names.
private let target: FuzzTarget = {
    let name = unsafe getenv("TENANTGATE_FUZZ").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fatalError("TENANTGATE_FUZZ must be one of \(FuzzTarget.all)")
    }
    return target
}()

/// What libFuzzer calls with every input; a broken invariant ends the process, and the input is kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try target.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
