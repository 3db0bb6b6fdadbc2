using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Groundwork.Services.Registry.Protocols.Eureka;

/// <summary>Writes an instance as Eureka has it, whichever protocol registered it.</summary>
internal static class EurekaInstance
{
    public const string Added = "ADDED";
    public const string Modified = "MODIFIED";
    public const string Deleted = "DELETED";

    private const string OwnDataCenter = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";

    /// <summary>What an empty map is called in Java, which its clients read back.</summary>
    private const string EmptyMap = "java.util.Collections$EmptyMap";

    // What X-Eureka-Accept: compact leaves out, as MiniInstanceInfoMixIn of Netflix's client has it.
    private static readonly string[] LeftOut =
        ["appGroupName", "overriddenstatus", "sid", "countryId", "homePageUrl", "statusPageUrl", "healthCheckUrl",
            "secureHealthCheckUrl", "isCoordinatingDiscoveryServer", "lastDirtyTimestamp", "leaseInfo", "metadata"];

    /// <param name="expiresAt">When its lease ends; null when it has none here.</param>
    /// <param name="action">What a delta says of it.</param>
    public static JsonObject Write(
        Instance instance, bool callable, DateTimeOffset? expiresAt, bool compact, string action)
    {
        var kept = EurekaExtension.Of(instance);
        var fields = kept?.Fields ?? Imagine(instance);
        var app = ProtocolNames.ToEureka(instance.Key.Service);
        var since = Text(instance.Incarnation);
        var written = new JsonObject
        {
            ["instanceId"] = kept?.Id ?? instance.Key.Id,
            ["hostName"] = Take(fields, "hostName") ?? instance.Host,
            ["app"] = app,
            ["ipAddr"] = Take(fields, "ipAddr") ?? instance.Host,
            ["status"] = EurekaStatus.Of(instance, callable),
            ["overriddenstatus"] = OverrideOf(instance, kept),
            ["port"] = WritePort(Take(fields, "port"), enabledUnlessSaid: true),
            ["securePort"] = WritePort(Take(fields, "securePort"), enabledUnlessSaid: false),
            ["countryId"] = Take(fields, "countryId") ?? 1,
            ["dataCenterInfo"] = Take(fields, "dataCenterInfo")
                ?? new JsonObject { ["@class"] = OwnDataCenter, ["name"] = "MyOwn" },
            ["leaseInfo"] = WriteLease(instance, Take(fields, "leaseInfo"), expiresAt),
            ["metadata"] = WriteMetadata(instance),
        };
        foreach (var (name, value) in fields.ToArray())
        {
            fields.Remove(name); // A node has one parent.
            written[name] = value;
        }
        written["isCoordinatingDiscoveryServer"] = "false";
        written["lastUpdatedTimestamp"] = Text(instance.Health.Since.ToUnixTimeMilliseconds());
        written["lastDirtyTimestamp"] = kept?.Dirty is { } dirty ? Text(dirty) : since;
        written["actionType"] = action;
        if (compact) foreach (var name in LeftOut) written.Remove(name);
        return written;
    }

    /// <summary>The names that its clients look it up by; separated by commas.</summary>
    public static string VipOf(Instance instance, bool secure) =>
        EurekaExtension.Of(instance) is { } kept
            ? EurekaXml.TextOf(kept.Fields[secure ? "secureVipAddress" : "vipAddress"])
            : ProtocolNames.ToConsul(instance.Key.Service);

    // What a client of another protocol has not said, so that one of Eureka finds it all the same.
    private static JsonObject Imagine(Instance instance)
    {
        var secure = instance.Scheme == "https";
        var vip = ProtocolNames.ToConsul(instance.Key.Service);
        return new JsonObject
        {
            ["port"] = new JsonObject { ["$"] = instance.Port, ["@enabled"] = secure ? "false" : "true" },
            ["securePort"] = new JsonObject
            {
                ["$"] = secure ? instance.Port : instance.Ports.GetValueOrDefault("secure", 443),
                ["@enabled"] = secure || instance.Ports.ContainsKey("secure") ? "true" : "false",
            },
            ["vipAddress"] = vip,
            ["secureVipAddress"] = vip,
            ["ipAddr"] = IPAddress.TryParse(instance.Host, out _) ? instance.Host : "",
            ["homePageUrl"] = string.Create(
                CultureInfo.InvariantCulture,
                $"{instance.Scheme}://{(instance.Host.Contains(':', StringComparison.Ordinal)
                    ? $"[{instance.Host}]" : instance.Host)}:{instance.Port}/"),
        };
    }

    private static string OverrideOf(Instance instance, EurekaExtension? kept) =>
        instance.Override?.RegisteredStatus is not null ? EurekaStatus.Write(instance.Status)
        : kept?.Override ?? EurekaStatus.Unknown;

    private static JsonObject WritePort(JsonNode? given, bool enabledUnlessSaid)
    {
        var parts = given as JsonObject;
        var text = EurekaXml.TextOf(parts is null ? given : parts["$"]);
        var enabled = EurekaXml.TextOf(parts?["@enabled"]);
        return new JsonObject
        {
            ["$"] = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : enabledUnlessSaid ? 7001 : 7002, // What Netflix's client takes where none is said.
            ["@enabled"] = enabled.Length == 0
                ? enabledUnlessSaid && given is not null ? "true" : "false"
                : enabled.ToLowerInvariant(),
        };
    }

    private static JsonObject WriteLease(Instance instance, JsonNode? given, DateTimeOffset? expiresAt)
    {
        var renewed = expiresAt?.AddSeconds(-instance.LeaseSeconds).ToUnixTimeMilliseconds() ?? instance.Incarnation;
        return new JsonObject
        {
            ["renewalIntervalInSecs"] = (given as JsonObject)?["renewalIntervalInSecs"]?.DeepClone()
                ?? Math.Max(1, instance.LeaseSeconds / 3),
            ["durationInSecs"] = instance.LeaseSeconds,
            ["registrationTimestamp"] = instance.Incarnation,
            ["lastRenewalTimestamp"] = renewed,
            ["evictionTimestamp"] = 0,
            ["serviceUpTimestamp"] = instance.Incarnation,
        };
    }

    private static JsonObject WriteMetadata(Instance instance)
    {
        var written = new JsonObject();
        foreach (var (name, value) in instance.Metadata) written[name] = value;
        if (instance.Zone is { } zone && !written.ContainsKey("zone")) written["zone"] = zone;
        if (written.Count == 0) written["@class"] = EmptyMap;
        return written;
    }

    private static JsonNode? Take(JsonObject fields, string name)
    {
        var value = fields[name];
        fields.Remove(name);
        return value;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
