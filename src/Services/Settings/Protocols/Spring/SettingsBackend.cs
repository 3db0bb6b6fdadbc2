using System.Globalization;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>
/// Our settings as files: the group is the folder, the label the namespace. An application has its own group, the group
/// <c>default</c> and the group <c>shared</c>, which the SDK reads, too.
/// </summary>
internal sealed class SettingsBackend(ISnapshotSource snapshots, SettingReader reader, Authorizer authorizer)
    : IConfigBackend
{
    /// <summary>The group that every service reads.</summary>
    public const string Shared = "shared";

    /// <summary>The group of settings without one, as other protocols write them.</summary>
    public const string Default = "default";

    public int Order { get; init; }

    /// <summary>Whom they are for; null: all.</summary>
    public Func<string, bool>? IsFor { get; init; }

    public ValueTask<Outcome<ConfigFiles?>> OpenAsync(
        SpringQuery query, SettingCaller caller, CancellationToken cancellationToken)
    {
        if (IsFor is { } isFor && !query.Applications.Any(isFor))
            return ValueTask.FromResult<Outcome<ConfigFiles?>>((ConfigFiles?)null);
        var now = snapshots.Current;
        var @namespace = query.Label ?? Names.DefaultNamespace;
        var isKnown = @namespace == Names.DefaultNamespace
            || now.Find(Namespaces.KindName, "", @namespace) is not null;
        return ValueTask.FromResult<Outcome<ConfigFiles?>>(
            isKnown ? new Files(this, now, @namespace, query, caller) : null);
    }

    private sealed class Files(
        SettingsBackend backend, Snapshot now, string @namespace, SpringQuery query, SettingCaller caller)
        : ConfigFiles
    {
        public override string? Version => null;

        public override string? Label => query.Label;

        public override IReadOnlyList<string> Folders { get; } =
            [.. query.Applications.Reverse().Append(Default).Append(Shared).Distinct(StringComparer.Ordinal)];

        public override async ValueTask<Outcome<ConfigFile?>> ReadAsync(
            string path, string? application, CancellationToken cancellationToken)
        {
            var key = new ResourceKey(SettingKind.Name, @namespace, path);
            if (!Names.IsName(path) || now.Find(key) is null) return (ConfigFile?)null;
            if (!backend.MayRead(caller, key)) return (ConfigFile?)null;
            var read = await backend.Read(now, caller, key, cancellationToken);
            return read.TryGet(out var setting, out var fault)
                ? new ConfigFile(
                    $"groundwork:{@namespace}/{path}", setting.Content, setting.Format,
                    setting.Revision.ToString(CultureInfo.InvariantCulture), key)
                : fault;
        }
    }

    private bool MayRead(SettingCaller caller, ResourceKey key) =>
        authorizer.Allows(caller.Principal, Verb.Read, key);

    private ValueTask<Outcome<Groundwork.Wire.Contracts.SettingDocument>> Read(
        Snapshot now, SettingCaller caller, ResourceKey key, CancellationToken cancellationToken) =>
        reader.ReadOneAsync(now, caller, key, cancellationToken);
}
