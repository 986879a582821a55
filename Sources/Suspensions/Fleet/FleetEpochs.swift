/// Which numbers of the shared log are still in it.
///
/// Every start of the database begins an epoch, so that one that has lost its tail (restored from a copy, or another server took over) can
/// never be mistaken for the one before: an epoch's number is the second in which it began, and numbers of the log begin with it. Each
/// epoch notes the last number that was there when it began; what a gateway knows beyond is lost, and has to be said again.
package struct FleetEpochs: Sendable, Equatable {
    /// One time that the database was started, or found to be another one.
    package struct Epoch: Sendable, Equatable {
        package let number: Int64
        /// The last number of the log before.
        package let after: Int64

        package init(number: Int64, after: Int64) {
            self.number = number
            self.after = after
        }

        /// What all its numbers are above.
        package var start: Int64 { number << FleetEpochs.digits }
    }

    /// Bits of a number within its epoch: two billion entries. An epoch is a second since 2025, which lasts as long.
    package static let digits: Int64 = 31
    /// 2025-01-01, in seconds since 1970.
    package static let origin: Int64 = 1_735_689_600

    /// In order.
    package let all: [Epoch]
    package var current: Int64 { all.last?.number ?? 0 }

    package init(_ epochs: [Epoch]) { all = epochs.sorted { $0.number < $1.number } }

    /// The last number that is still in the log, up to this one.
    package func cap(_ number: Int64) -> Int64 {
        guard let place = all.lastIndex(where: { $0.start <= number }) else { return min(number, all.first?.after ?? number) }
        return place + 1 < all.count ? min(number, all[place + 1].after) : number
    }

    package func has(_ number: Int64) -> Bool { cap(number) == number }
}
