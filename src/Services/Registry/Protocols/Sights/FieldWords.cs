namespace Groundwork.Services.Registry.Protocols.Sights;

/// <summary>The fields of an instance that it has something in, and how our API calls them.</summary>
internal static class FieldWords
{
    private static readonly (InstanceFields Field, string Word)[] Words =
    [
        (InstanceFields.Scheme, "scheme"), (InstanceFields.Ports, "ports"), (InstanceFields.Weight, "weight"),
        (InstanceFields.Version, "version"), (InstanceFields.Zone, "zone"), (InstanceFields.Cluster, "cluster"),
        (InstanceFields.Persistence, "ephemeral"), (InstanceFields.Lease, "leaseSeconds"),
        (InstanceFields.Tags, "tags"), (InstanceFields.Checks, "checks"), (InstanceFields.Metadata, "metadata"),
        (InstanceFields.Extensions, "extensions"),
    ];

    public static IReadOnlyList<string> Of(InstanceFields fields) =>
        [.. Words.Where(pair => fields.HasFlag(pair.Field)).Select(pair => pair.Word)];

    /// <summary>What the instance says that a protocol does not.</summary>
    /// <param name="says">What the protocol can say.</param>
    /// <param name="protocol">Whose own extension is nothing that it lacks.</param>
    public static InstanceFields Lacking(Instance instance, InstanceFields says, string protocol)
    {
        var lacking = Held(instance, protocol) & ~says;
        if (!says.HasFlag(InstanceFields.Metadata)) return lacking;
        // Said all the same, under its name among the metadata: so register those whose protocols have no such field.
        if (IsIn(instance, "version", instance.Version)) lacking &= ~InstanceFields.Version;
        if (IsIn(instance, "zone", instance.Zone)) lacking &= ~InstanceFields.Zone;
        if (IsIn(instance, "cluster", instance.Cluster)) lacking &= ~InstanceFields.Cluster;
        return lacking;
    }

    private static bool IsIn(Instance instance, string name, string? value) =>
        value is not null && instance.Metadata.TryGetValue(name, out var said) && said == value;

    private static InstanceFields Held(Instance instance, string protocol)
    {
        var held = InstanceFields.None;
        if (instance.Scheme != "http") held |= InstanceFields.Scheme;
        if (!instance.Ports.IsEmpty) held |= InstanceFields.Ports;
        if (instance.Weight != 100) held |= InstanceFields.Weight;
        if (instance.Version is not null) held |= InstanceFields.Version;
        if (instance.Zone is not null) held |= InstanceFields.Zone;
        if (instance.Cluster is not null) held |= InstanceFields.Cluster;
        if (!instance.Ephemeral) held |= InstanceFields.Persistence;
        else if (instance.LeaseSeconds != RegistryLimits.DefaultLeaseSeconds) held |= InstanceFields.Lease;
        if (!instance.Tags.IsEmpty) held |= InstanceFields.Tags;
        if (!instance.Checks.IsEmpty) held |= InstanceFields.Checks;
        if (instance.Metadata.Count > 0) held |= InstanceFields.Metadata;
        foreach (var (of, _) in instance.Extensions)
            if (of != protocol) held |= InstanceFields.Extensions;
        return held;
    }
}
