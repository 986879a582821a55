import StrictJSON
import Suspensions

/// How this gateway stands with the others, and who they are; its shape is in `AdminSchemas`.
extension FleetStatus {
    func write(to json: inout JSONWriter) {
        json.name("fleet")
        json.beginObject()
        json.member("link", link.rawValue)
        if let trouble { json.member("trouble", trouble) }
        json.member("listening", hears)
        json.member("refusing", isRefusing)
        json.member("behind_seconds", Int64(behindSeconds))
        json.member("unpublished", unsent)
        json.member("contested_users", contested)
        json.member("applied", applied)
        json.name("gateways")
        json.beginArray()
        for member in members {
            json.beginObject()
            json.member("name", member.name)
            json.member("this", member.isThis)
            json.member("live", member.isLive)
            json.member("seen_seconds_ago", member.seenMilliseconds / 1000)
            json.member("behind", member.behind)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
