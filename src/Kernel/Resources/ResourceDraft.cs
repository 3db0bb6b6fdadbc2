using System.Collections.Immutable;
using Groundwork.Wire;

namespace Groundwork.Kernel.Resources;

/// <summary>A resource that is only thought of: held to its kind's own rules, and in no store.</summary>
public static class ResourceDraft
{
    /// <summary>The resource, or what is wrong with it. Rules between resources are not asked.</summary>
    /// <param name="spec">UTF-8 JSON, as somebody writes it.</param>
    /// <param name="version">Of the kind's schema; the newest when not given.</param>
    public static Outcome<Resource> Make(
        Kind kind, ResourceKey key, ReadOnlyMemory<byte> spec, int? version, DateTimeOffset now)
    {
        if (ChangesetPreparation.CheckKey(kind, key) is { } misnamed) return misnamed;
        if (spec.Length > kind.MaxSpecBytes)
            return new Fault(
                ErrorCodes.ResourceTooLarge,
                $"{key} has a spec of {spec.Length} bytes, {kind.MaxSpecBytes} are allowed.");
        var change = new Change(ChangeOperation.Put, key, spec, version);
        if (!ChangesetPreparation.PrepareSpec(kind, change).TryGet(out var prepared, out var fault)) return fault;
        var resource = new Resource
        {
            Key = key,
            Version = kind.Version,
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Spec = prepared.Spec,
            SpecHash = default,
            Revision = 0,
            ChangedBy = "",
            ChangedAt = now,
            Kind = kind,
        };
        return prepared.Typed is { } typed ? resource.Typed(typed) : resource;
    }
}
