using System.Text.Json;

namespace Groundwork.Services.Registry.Protocols.Nacos;

/// <summary>An instance as a list of Nacos shows it.</summary>
internal readonly record struct NacosHost(Instance Instance, bool Healthy, bool Enabled);

/// <summary>
/// One service as Nacos answers it. The npm client keeps answers under the name and the clusters that stand in them,
/// so both are what was asked for, to the letter; and it takes no notice of an empty list.
/// </summary>
internal sealed record NacosList(
    ServiceKey Service, string Clusters, IReadOnlyList<NacosHost> Hosts, bool Protected)
{
    /// <summary>The instances that are meant by the clusters.</summary>
    /// <param name="clusters">As it was sent: names joined by commas; empty: all.</param>
    /// <param name="isHealthyOnly">Leaves out what is unhealthy, and then shows none that has gone, either.</param>
    public static NacosList Of(InstanceRegistry registry, ServiceKey key, string clusters, bool isHealthyOnly)
    {
        var view = registry.FindFresh(key);
        var wanted = clusters.Length == 0
            ? null
            : clusters.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (wanted is { Length: 0 }) wanted = null;
        var hosts = new List<NacosHost>(view?.Instances.Length ?? 0);
        List<NacosHost>? disabled = null;
        var isProtected = view?.Protection == true;
        foreach (var instance in view?.Instances ?? [])
        {
            if (!IsWanted(instance, wanted)) continue;
            var isHealthy = isProtected || instance.Health.State != HealthState.Unhealthy;
            if (isHealthyOnly && !isHealthy) continue;
            if (instance.Status == InstanceStatus.Up) hosts.Add(new NacosHost(instance, isHealthy, Enabled: true));
            else (disabled ??= []).Add(new NacosHost(instance, isHealthy, Enabled: false));
        }
        // Nacos leaves disabled ones out. Where that leaves none they are shown, so that clients hear of it at all.
        if (hosts.Count == 0 && !isHealthyOnly)
        {
            if (disabled is not null) hosts = disabled;
            else AddDeparted(registry, key, wanted, hosts);
        }
        return new NacosList(key, clusters, hosts, isProtected);
    }

    /// <summary>The same as JSON; of version 2, beside what version 1 has.</summary>
    /// <param name="lastRefTime">Milliseconds, or any number that grows.</param>
    public void Write(Utf8JsonWriter json, int cacheMilliseconds, long lastRefTime)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, ProtocolNames.ToNacos(Service));
        json.WriteString("groupName"u8, ProtocolNames.GroupToNacos(Service.Group));
        json.WriteString("clusters"u8, Clusters);
        json.WriteNumber("cacheMillis"u8, cacheMilliseconds);
        json.WriteStartArray("hosts"u8);
        foreach (var host in Hosts) Write(json, host);
        json.WriteEndArray();
        json.WriteNumber("lastRefTime"u8, lastRefTime);
        json.WriteString("checksum"u8, "");
        json.WriteBoolean("allIPs"u8, false);
        json.WriteBoolean("reachProtectionThreshold"u8, Protected);
        json.WriteBoolean("valid"u8, true);
        json.WriteEndObject();
    }

    /// <summary>One instance, as a list and a look at a single one have it.</summary>
    public static void Write(Utf8JsonWriter json, NacosHost host)
    {
        var instance = host.Instance;
        json.WriteStartObject();
        json.WriteString("instanceId"u8, NacosWords.InstanceId(instance));
        json.WriteString("ip"u8, instance.Host);
        json.WriteNumber("port"u8, instance.Port);
        json.WriteNumber("weight"u8, NacosWords.Weight(instance));
        json.WriteBoolean("healthy"u8, host.Healthy);
        json.WriteBoolean("enabled"u8, host.Enabled);
        json.WriteBoolean("ephemeral"u8, instance.Ephemeral);
        json.WriteString("clusterName"u8, NacosWords.ClusterName(instance));
        json.WriteString("serviceName"u8, ProtocolNames.ToNacos(instance.Key.Service));
        json.WriteStartObject("metadata"u8);
        foreach (var (name, value) in instance.Metadata) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteNumber("instanceHeartBeatInterval"u8,
            NacosWords.Milliseconds(instance.Metadata, NacosWords.BeatInterval) ?? NacosLimits.BeatMilliseconds);
        json.WriteNumber("instanceHeartBeatTimeOut"u8, instance.LeaseSeconds * 1000L);
        json.WriteNumber("ipDeleteTimeout"u8, instance.LeaseSeconds * 1000L);
        json.WriteEndObject();
    }

    // As down, so that who still has them in a list drops them; our own API says that they are gone.
    private static void AddDeparted(
        InstanceRegistry registry, ServiceKey key, string[]? wanted, List<NacosHost> hosts)
    {
        foreach (var instance in registry.Departed(key, NacosLimits.ShowDeparted))
            if (IsWanted(instance, wanted)) hosts.Add(new NacosHost(instance, Healthy: false, Enabled: true));
    }

    private static bool IsWanted(Instance instance, string[]? clusters) =>
        clusters is null || Array.IndexOf(clusters, NacosWords.ClusterName(instance)) >= 0;
}
