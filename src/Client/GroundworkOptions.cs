using System.Net;
using System.Reflection;
using Groundwork.Client.Receipts;
using Groundwork.Wire;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Groundwork.Client;

/// <summary>
/// What a service tells the SDK about itself and about the platform. Defaults, then the section <c>Groundwork</c> of
/// the host's configuration, then the <c>GROUNDWORK_*</c> variables, then the callback of
/// <see cref="GroundworkHosting.AddGroundwork"/>: the later wins. Everything wrong is reported at once, at start.
/// </summary>
public sealed class GroundworkOptions
{
    /// <summary>The section of the host's configuration that these options are read from.</summary>
    public const string SectionName = "Groundwork";

    /// <summary>Where the platform's API listens unless told otherwise.</summary>
    public const string DefaultAddress = "http://127.0.0.1:7400";

    /// <summary>The group of settings that every service reads before its own group.</summary>
    public const string SharedGroup = "shared";

    /// <summary>Platform nodes one client knows; more would only lengthen a failed call.</summary>
    internal const int MaxAddresses = 16;

    /// <summary>Groups of settings one service reads; they travel in the query of one call.</summary>
    internal const int MaxSettingGroups = 16;

    /// <summary>
    /// Addresses of platform nodes, <c>http</c> or <c>https</c>, tried in this order; one that answers is kept.
    /// <c>GROUNDWORK_ADDRESS</c>, comma separated.
    /// </summary>
    public IList<string> Addresses { get; set; } = [];

    /// <summary>
    /// File that holds the access key; read again when the platform refuses the key. <c>GROUNDWORK_ACCESS_KEY_FILE</c>.
    /// </summary>
    public string? AccessKeyFile { get; set; }

    /// <summary>
    /// The access key itself; the file is preferred when both are given. <c>GROUNDWORK_ACCESS_KEY</c>.
    /// </summary>
    public string? AccessKey { get; set; }

    /// <summary>
    /// The service's name, lower-case because host names are. <c>GROUNDWORK_SERVICE</c>, else the application's name in
    /// lower case.
    /// </summary>
    public string ServiceName { get; set; } = "";

    /// <summary>
    /// The namespace of the service, its settings and the services it calls. <c>GROUNDWORK_NAMESPACE</c>.
    /// </summary>
    public string Namespace { get; set; } = Names.DefaultNamespace;

    /// <summary>The group of the service and of the services it calls. <c>GROUNDWORK_GROUP</c>.</summary>
    public string Group { get; set; } = "default";

    /// <summary>
    /// Id of this instance, the same after a restart; <c>host:port</c> when not given. <c>GROUNDWORK_INSTANCE_ID</c>.
    /// </summary>
    public string? InstanceId { get; set; }

    /// <summary>Where this instance runs; callers of the same zone prefer it. <c>GROUNDWORK_ZONE</c>.</summary>
    public string? Zone { get; set; }

    /// <summary>Version of the service's code; the entry assembly's when not given.</summary>
    public string? Version { get; set; }

    /// <summary>0 to 10,000; 100 is normal, 0 takes no traffic.</summary>
    public int Weight { get; set; } = 100;

    /// <summary>At most 64 entries, shown in the registry.</summary>
    public IDictionary<string, string> Metadata { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// The service's own words for gray releases and flags, at most 32: names of <c>A-Z a-z 0-9 . _ : @ -</c>, values
    /// of at most 128 characters. <c>zone</c>, <c>version</c> and <see cref="Metadata"/> are labels too, as far as
    /// there is place.
    /// </summary>
    public IDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>At most 64 words, shown in the registry.</summary>
    public IList<string> Tags { get; set; } = [];

    /// <summary>False: call others and read settings, and never appear in the registry.</summary>
    public bool Register { get; set; } = true;

    /// <summary>
    /// IP address or host name that others connect to. When not given: the address the server listens on, or, where it
    /// listens on all, the one from which this machine reaches the platform.
    /// </summary>
    public string? AdvertisedHost { get; set; }

    /// <summary>Port that others connect to, where it is not the one the server listens on. 0: that one.</summary>
    public int AdvertisedPort { get; set; }

    /// <summary>5 to 3,600: how long the registration lives without a renewal; three are sent in that time.</summary>
    public int LeaseSeconds { get; set; } = 15;

    /// <summary>
    /// Groups of settings in rising precedence: a key in a later group wins. <see cref="SharedGroup"/> and then the
    /// service's name when empty.
    /// </summary>
    public IList<string> SettingGroups { get; set; } = [];

    /// <summary>
    /// Hosts that are services even while the platform cannot say so, dotted names included. Other names are services
    /// when they have one label and the registry knows them.
    /// </summary>
    public IList<string> Services { get; set; } = [];

    /// <summary>
    /// How long the start may wait for settings before it goes on with the disk snapshot: 0 to 60 s, 2 s by default.
    /// </summary>
    public TimeSpan StartupTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a clean stop waits for gateways and other services to have seen that it drains: 0 to 60 s, 5 s by
    /// default.
    /// </summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a called instance may take to begin its answer before the call counts as failed: 3 s by default, as at
    /// the gateway. A single request says otherwise with <see cref="GroundworkRequest.ResponseHeadTimeout"/>.
    /// </summary>
    public TimeSpan ResponseHeadTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// False: keep no copy of settings and services on disk, so nothing starts while the platform is away.
    /// </summary>
    public bool DiskSnapshot { get; set; } = true;

    /// <summary>
    /// Directory of the disk snapshot. <c>GROUNDWORK_STATE_DIRECTORY</c>, else <c>groundwork</c> below
    /// <c>STATE_DIRECTORY</c> (systemd), <c>XDG_STATE_HOME</c> or <c>~/.local/state</c>.
    /// </summary>
    public string? SnapshotDirectory { get; set; }

    /// <summary>
    /// How soon the platform is told what became of settings. Thousands of readers hear of a publication at once, so
    /// each has its own moment within this.
    /// </summary>
    internal TimeSpan ReceiptInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock; tests bring their own.</summary>
    internal TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Reads the section and the variables over the defaults.</summary>
    internal void ReadFrom(IConfiguration configuration)
    {
        configuration.GetSection(SectionName).Bind(this);
        string? Variable(string name) =>
            configuration[name] is { Length: > 0 } text ? text
            : Environment.GetEnvironmentVariable(name) is { Length: > 0 } variable ? variable : null;

        if (Variable("GROUNDWORK_ADDRESS") is { } addresses)
            Addresses =
                [.. addresses.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        AccessKeyFile = Variable("GROUNDWORK_ACCESS_KEY_FILE") ?? AccessKeyFile;
        AccessKey = Variable("GROUNDWORK_ACCESS_KEY") ?? AccessKey;
        ServiceName = Variable("GROUNDWORK_SERVICE") ?? ServiceName;
        Namespace = Variable("GROUNDWORK_NAMESPACE") ?? Namespace;
        Group = Variable("GROUNDWORK_GROUP") ?? Group;
        InstanceId = Variable("GROUNDWORK_INSTANCE_ID") ?? InstanceId;
        Zone = Variable("GROUNDWORK_ZONE") ?? Zone;
        SnapshotDirectory = Variable("GROUNDWORK_STATE_DIRECTORY") ?? SnapshotDirectory;
    }

    /// <summary>Fills in what follows from the rest, then throws with everything that is wrong.</summary>
    internal void Settle(string applicationName)
    {
        if (Addresses.Count == 0) Addresses = [DefaultAddress];
        if (ServiceName.Length == 0) ServiceName = applicationName.ToLowerInvariant();
        if (SettingGroups.Count == 0)
            SettingGroups = ServiceName == SharedGroup ? [SharedGroup] : [SharedGroup, ServiceName];
        Version ??= Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3);
        var faults = Faults().ToList();
        if (faults.Count > 0) throw new OptionsValidationException(SectionName, typeof(GroundworkOptions), faults);
    }

    private IEnumerable<string> Faults()
    {
        if (Addresses.Count > MaxAddresses)
            yield return $"Addresses has {Addresses.Count} entries; {MaxAddresses} is the limit.";
        foreach (var address in Addresses)
            if (!IsPlatformAddress(address))
                yield return $"Address '{address}' is not http://host:port or https://host:port without a path.";
        if (AccessKey is not null && !IsHeaderText(AccessKey))
            yield return "AccessKey has characters no access key has.";
        if (!IsServiceName(ServiceName))
            yield return $"ServiceName '{ServiceName}' is not made of a-z, 0-9, '.', '_' and '-', 1 to 128 of them.";
        if (!Names.IsNamespace(Namespace))
            yield return $"Namespace '{Namespace}' is not made of a-z, 0-9 and '-', 1 to 63 of them.";
        if (!Names.IsSegment(Group) || Group.Contains("@@", StringComparison.Ordinal))
            yield return $"Group '{Group}' is not a name.";
        if (InstanceId is not null && !Names.IsSegment(InstanceId))
            yield return $"InstanceId '{InstanceId}' is not made of letters, digits and '._:@-', 1 to 128 of them.";
        if (Zone is { Length: 0 or > Names.MaxSegmentLength }) yield return "Zone is empty or over 128 characters.";
        if (Version is { Length: 0 or > Names.MaxSegmentLength })
            yield return "Version is empty or over 128 characters.";
        if (Weight is < 0 or > 10_000) yield return $"Weight {Weight} is not within 0 and 10,000.";
        if (Metadata.Count > 64) yield return $"Metadata has {Metadata.Count} entries; 64 is the limit.";
        if (Labels.Count > ReaderIdentity.MaxLabels)
            yield return $"Labels has {Labels.Count} entries; {ReaderIdentity.MaxLabels} is the limit.";
        foreach (var (key, value) in Labels)
            if (!ReaderIdentity.IsLabel(key, value)) yield return $"Label '{key}' is not a name and a short text.";
        if (Tags.Count > 64) yield return $"Tags has {Tags.Count} entries; 64 is the limit.";
        if (AdvertisedHost is not null && Uri.CheckHostName(AdvertisedHost) == UriHostNameType.Unknown)
            yield return $"AdvertisedHost '{AdvertisedHost}' is neither an IP address nor a host name.";
        if (AdvertisedPort is < 0 or > IPEndPoint.MaxPort)
            yield return $"AdvertisedPort {AdvertisedPort} is not a port.";
        if (LeaseSeconds is < 5 or > 3600) yield return $"LeaseSeconds {LeaseSeconds} is not within 5 and 3,600.";
        if (SettingGroups.Count > MaxSettingGroups)
            yield return $"SettingGroups has {SettingGroups.Count} entries; {MaxSettingGroups} is the limit.";
        foreach (var group in SettingGroups)
            if (!Names.IsSegment(group)) yield return $"Setting group '{group}' is not a name.";
        foreach (var service in Services)
            if (!IsServiceName(service)) yield return $"Service '{service}' in Services is not a service's name.";
        if (!IsWithin(StartupTimeout, TimeSpan.Zero)) yield return "StartupTimeout is not within 0 and 60 seconds.";
        if (!IsWithin(DrainTimeout, TimeSpan.Zero)) yield return "DrainTimeout is not within 0 and 60 seconds.";
        if (!IsWithin(ResponseHeadTimeout, TimeSpan.FromMilliseconds(1), limitSeconds: 3600))
            yield return "ResponseHeadTimeout is not within 1 ms and 3,600 seconds.";
    }

    private static bool IsPlatformAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" };

    private static bool IsServiceName(string text) =>
        Names.IsSegment(text)
            && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    private static bool IsHeaderText(string text) => text.All(c => c is > ' ' and < '\u007f');

    private static bool IsWithin(TimeSpan value, TimeSpan least, int limitSeconds = 60) =>
        value >= least && value <= TimeSpan.FromSeconds(limitSeconds);
}
