// swift-tools-version: 6.2
// tenantgate: a multi-tenant identity gateway. The shape of the targets is explained in README.md ("Code map").

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
/// SQLite's own interface, for loading millions of rows.
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "tenantgate",
    products: [
        .executable(name: "tenantgate", targets: ["tenantgate"]),
        .executable(name: "user-service", targets: ["user-service"]),
    ],
    dependencies: [
        // Event loops and sockets.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        // SQLite: the ledger, and the demo user service's users.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // YAML with line and column of every node, for the file and the dialects.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CJWT", pkgConfig: "libjwt", providers: [.apt(["libjwt-dev"])]),
        .systemLibrary(name: "CPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        // epoll(7), which Swift's Glibc leaves out.
        .systemLibrary(name: "CEpoll"),

        .target(name: "Policy", swiftSettings: strict),
        .target(name: "StrictJSON", swiftSettings: strict),
        .target(name: "TLS", dependencies: ["COpenSSL", nioCore], swiftSettings: strict),
        .target(name: "HTTPWire", dependencies: [nioCore], swiftSettings: strict),
        // A target of its own, so that the demo's user services don't load libnghttp2.
        .target(name: "HTTP2", dependencies: ["HTTPWire", "CNGHTTP2", nioCore], swiftSettings: strict),
        .target(name: "Tokens", dependencies: ["Policy", "StrictJSON", "COpenSSL", "CJWT"], swiftSettings: strict),
        .target(name: "Suspensions", dependencies: ["Policy", "StrictJSON", "CPQ", grdb, grdbSQLite], swiftSettings: strict),
        .target(
            name: "Proxy",
            dependencies: ["Policy", "StrictJSON", "TLS", "HTTPWire", "HTTP2", "Tokens", "Suspensions", "CEpoll", nioCore, nioPosix],
            swiftSettings: strict),
        .target(
            name: "ControlPlane",
            dependencies: [
                "Policy", "StrictJSON", "TLS", "HTTPWire", "HTTP2", "Tokens", "Suspensions", "Proxy", nioCore, nioPosix, yams, logging,
            ],
            swiftSettings: strict),
        // The user services are not linked in: naming them has them built beside it, where `demo` starts them.
        .executableTarget(name: "tenantgate", dependencies: ["ControlPlane", "user-service", arguments], swiftSettings: strict),
        .executableTarget(
            name: "user-service", dependencies: ["HTTPWire", "StrictJSON", nioCore, nioPosix, grdb, arguments], swiftSettings: strict),

        .testTarget(name: "PolicyTests", dependencies: ["Policy", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "TLSTests", dependencies: ["TLS", "TestSupport", "COpenSSL", nioCore, nioPosix], swiftSettings: strict),
        .testTarget(name: "ProxyTests", dependencies: ["Proxy", "Policy", "TLS", "TestSupport", nioCore], swiftSettings: strict),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire", "TestSupport", nioCore], swiftSettings: strict),
        .testTarget(name: "HTTP2Tests", dependencies: ["HTTP2", "HTTPWire", "TestSupport", nioCore], swiftSettings: strict),
        .testTarget(name: "TokensTests", dependencies: ["Tokens", "Policy", "StrictJSON", "COpenSSL", "CJWT"], swiftSettings: strict),
        .testTarget(
            name: "SuspensionsTests", dependencies: ["Suspensions", "Policy", "StrictJSON", "TestSupport", "suspension-benchmark", grdb],
            swiftSettings: strict),
        // What millions of suspended users cost: `swift run -c release suspension-benchmark`.
        .executableTarget(
            name: "suspension-benchmark", dependencies: ["Suspensions", "Policy", "Tokens"], path: "Tests/Benchmarks/Suspensions",
            swiftSettings: strict),
        // What tests of whole programs share: children, raw connections, a recording upstream, forged tokens.
        .target(name: "TestSupport", dependencies: ["COpenSSL", "CNGHTTP2"], path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "UserServiceTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(name: "CostTests", dependencies: ["TestSupport"], swiftSettings: strict),
        // Policy, Proxy and Suspensions: what two gateways say to each other in an upgrade, spoken by a test.
        .testTarget(name: "ScenarioTests", dependencies: ["TestSupport", "Policy", "Proxy", "Suspensions", grdb], swiftSettings: strict),
        // What must hold of each reader under any bytes; its corpus is replayed here, see Tests/Fuzz/Checks/FuzzTarget.swift.
        .target(
            name: "FuzzChecks", dependencies: ["Policy", "StrictJSON", "Tokens", "ControlPlane", "HTTPWire", "HTTP2", nioCore],
            path: "Tests/Fuzz/Checks",
            swiftSettings: strict),
        .testTarget(name: "FuzzTests", dependencies: ["FuzzChecks"], path: "Tests/Fuzz/Replay", swiftSettings: strict),
        .testTarget(
            name: "ControlPlaneTests", dependencies: ["ControlPlane", "Policy", "Suspensions", "Tokens", "TestSupport"],
            swiftSettings: strict),
    ]
)

// libFuzzer brings its own `main`, so the driver exists only in a build made for it (`--sanitize fuzzer`).
if Context.environment["TENANTGATE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(name: "fuzz-driver", dependencies: ["FuzzChecks"], path: "Tests/Fuzz/Driver", swiftSettings: strict))
}
