using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Configuration;

/// <summary>Turns the gathered keys into a checked configuration, collecting every fault on the way.</summary>
internal sealed class ConfigurationReader
{
    /// <summary>An hour: whoever waits longer for one request has another problem.</summary>
    private const int MaxDrainSeconds = 3600;

    private const int DefaultAccessLogMegabytes = 100;
    private const int DefaultAccessLogFiles = 5;

    /// <summary>A larger file is none that anybody opens.</summary>
    private const int MaxAccessLogMegabytes = 10_000;

    /// <summary>Each is renamed when another comes.</summary>
    private const int MaxAccessLogFiles = 100;

    /// <summary>A TiB: more memory than machines have that gateways run on.</summary>
    private const int MaxCacheMegabytes = 1_048_576;

    /// <summary>At 20 KB each 20 GB.</summary>
    private const int MaxRequestsUnderWay = 1_000_000;

    private readonly List<FieldFault> faults = [];
    private readonly ConfigurationSources sources;
    private readonly IReadOnlyDictionary<string, Setting> settings;

    private ConfigurationReader(ConfigurationSources sources)
    {
        this.sources = sources;
        settings = new SettingSources(sources, faults).Read();
    }

    public static Outcome<ProcessConfiguration> Read(ConfigurationSources sources)
    {
        var reader = new ConfigurationReader(sources);
        var configuration = reader.Build();
        return reader.faults.Count == 0
            ? configuration
            : new Fault(ErrorCodes.ConfigurationInvalid,
                "The process configuration has faults.") { Fields = [.. reader.faults] };
    }

    private ProcessConfiguration Build()
    {
        var data = PathOf("data") ?? Path.GetFullPath(sources.DefaultDataDirectory, sources.WorkingDirectory);
        var follow = ReadFollow();
        var nodeName = ReadNodeName();
        var configuration = new ProcessConfiguration
        {
            DataDirectory = data,
            Database = ReadDatabase(follow is not null),
            NodeName = nodeName,
            RootKeyFile = PathOf("rootKeyFile") ?? Path.Combine(data, "root.key"),
            Modules = ReadModules(follow is not null),
            Follow = follow,
            TrustedProxies = Networks("trustedProxies"),
            LinkLocalUpstreams = Networks("linkLocalUpstreams"),
            FileRoots = Folders("fileRoots"),
            Zone = ReadZone(),
            AccessLog = ReadAccessLog(),
            CacheMegabytes = ReadNumber(
                "cacheMegabytes", ProcessConfiguration.DefaultCacheMegabytes, MaxCacheMegabytes),
            MaxRequestsUnderWay = ReadMaxRequests(),
            TraceHeaders = ReadTraceHeaders(),
            Listeners = ReadListeners(),
            WellKnownPorts = Flag("listeners.wellKnownPorts"),
            Drain = TimeSpan.FromSeconds(
                ReadNumber("drainSeconds", ProcessConfiguration.DefaultDrainSeconds, MaxDrainSeconds)),
        };
        return configuration with { Values = ConfigurationValues.Of(configuration, settings) };
    }

    private DatabaseOptions ReadDatabase(bool follows)
    {
        var given = One("database");
        var file = One("databaseFile");
        if (follows && (given ?? file) is { } useless)
            faults.Add(useless.Wrong("has no use on a node that follows another: it has no database"));
        if (file is null)
            return given is null || given.Text == "sqlite" ? DatabaseOptions.Sqlite : ParseDatabase(given, given.Text);
        if (given is not null) faults.Add(file.Wrong("and database say the same thing; set one of them"));
        return ReadSecretFile(file, Path.GetFullPath(file.Text, file.BasePath)) is { } text
            ? ParseDatabase(file, text)
            : DatabaseOptions.Sqlite;
    }

    private DatabaseOptions ParseDatabase(Setting setting, string text)
    {
        if (PostgresAddress.TryParse(text, out var connectionString, out var why))
            return new DatabaseOptions(connectionString);
        faults.Add(setting.Wrong(why));
        return DatabaseOptions.Sqlite;
    }

    private string ReadNodeName()
    {
        if (One("nodeName") is not { } given)
        {
            var name = string.Concat(sources.HostName.Select(c => Names.IsSegment([c]) || c == '.' ? c : '-'));
            return Names.IsSegment(name) ? name : "node";
        }
        if (!Names.IsSegment(given.Text))
            faults.Add(given.Wrong($"must be 1 to {Names.MaxSegmentLength} of A-Z a-z 0-9 . _ : @ -"));
        return given.Text;
    }

    private string? ReadZone()
    {
        if (One("zone") is not { } given) return null;
        if (!Names.IsSegment(given.Text))
            faults.Add(given.Wrong($"must be 1 to {Names.MaxSegmentLength} of A-Z a-z 0-9 . _ : @ -"));
        return given.Text;
    }

    private AccessLogFile? ReadAccessLog()
    {
        var format = One("accessLogFormat");
        if (format is { Text: not ("json" or "combined") }) faults.Add(format.Wrong("must be json or combined"));
        var megabytes = ReadNumber("accessLogMegabytes", DefaultAccessLogMegabytes, MaxAccessLogMegabytes);
        if (megabytes == 0) faults.Add(settings["accessLogMegabytes"].Wrong("must be at least 1")); // Not the default.
        var files = ReadNumber("accessLogFiles", DefaultAccessLogFiles, MaxAccessLogFiles);
        if (One("accessLog") is not { Text: not "off" } given) return null;
        var path = given.Text == "stdout" ? null : Path.GetFullPath(given.Text, given.BasePath);
        if (path is not null && !Directory.Exists(Path.GetDirectoryName(path)))
            faults.Add(given.Wrong("is in a directory that does not exist"));
        return new AccessLogFile(path, format?.Text == "combined", megabytes, files);
    }

    private int ReadMaxRequests()
    {
        var most = ReadNumber(
            "maxRequestsUnderWay", ProcessConfiguration.DefaultMaxRequestsUnderWay, MaxRequestsUnderWay);
        if (most == 0) faults.Add(settings["maxRequestsUnderWay"].Wrong("must be at least 1")); // Not the default.
        return most;
    }

    private ImmutableArray<string> ReadTraceHeaders()
    {
        if (settings.GetValueOrDefault("traceHeaders") is not { } given) return ["w3c"];
        var names = Items("traceHeaders");
        if (names.IsEmpty || names.Any(name => name is not ("w3c" or "b3" or "b3-multi")))
            faults.Add(given.Wrong("must be some of w3c, b3 and b3-multi"));
        return names;
    }

    private ModuleSelection ReadModules(bool follows)
    {
        var given = settings.GetValueOrDefault("modules");
        var names = Items("modules");
        if (given is null || names is ["all"]) names = [];
        else if (names.IsEmpty) faults.Add(given.Wrong("names no module; leave it out to run all"));
        var selected = Modules.Select(names, follows);
        if (selected.TryGet(out var selection, out var fault)) return selection;
        faults.Add(given?.Wrong(fault.Detail) ?? new FieldFault("modules", fault.Detail));
        return ModuleSelection.None;
    }

    private FollowOptions? ReadFollow()
    {
        var key = One("followKeyFile");
        if (One("follow") is not { } given)
        {
            if (key is not null) faults.Add(key.Wrong("has no use without follow"));
            return null;
        }
        if (!Uri.TryCreate(given.Text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address.PathAndQuery != "/" || address.UserInfo.Length > 0)
            faults.Add(given.Wrong("must be the address of a node's API, such as https://core:7400"));
        else if (address.Scheme == "http" && !address.IsLoopback)
            faults.Add(given.Wrong("would send the access key in clear; use https"));
        return new FollowOptions(
            address ?? new Uri("http://localhost"), key is null ? null : Path.GetFullPath(key.Text, key.BasePath));
    }

    private ImmutableDictionary<string, ListenerOptions> ReadListeners()
    {
        return settings.Keys
            .Select(key => key.Split('.'))
            .Where(parts => parts is ["listeners", _, _, ..] or ["listeners", not "wellKnownPorts"])
            .Select(parts => parts[1])
            .Distinct(StringComparer.Ordinal)
            .ToImmutableDictionary(name => name, ReadListener, StringComparer.Ordinal);
    }

    private ListenerOptions ReadListener(string name)
    {
        var prefix = $"listeners.{name}.";
        var off = One($"listeners.{name}");
        if (off is { Text: not "off" })
            faults.Add(off.Wrong("must be off, or have keys of its own, such as address"));
        ListenAddress? address = null;
        if (One(prefix + "address") is { } given)
        {
            if (ListenAddress.TryParse(given.Text, out var parsed, out var why)) address = parsed;
            else faults.Add(given.Wrong(why));
        }
        var certificate = One(prefix + "tls.certificateFile");
        var key = One(prefix + "tls.keyFile");
        if (certificate is null != key is null)
            // One is there.
            faults.Add((certificate ?? key)!.Wrong("needs the other one too: tls.certificateFile and tls.keyFile"));
        return new ListenerOptions
        {
            Off = off is { Text: "off" },
            Address = address,
            Tls = certificate is null || key is null
                ? null
                : new TlsOptions(
                    Path.GetFullPath(certificate.Text, certificate.BasePath), Path.GetFullPath(key.Text, key.BasePath)),
            TlsTerminatedBy = Networks(prefix + "tlsTerminatedBy"),
            Plain = Flag(prefix + "plain"),
            HostNames = Items(prefix + "hostNames"),
        };
    }

    private Setting? One(string key)
    {
        if (settings.GetValueOrDefault(key) is not { } setting) return null;
        if (setting.Items is [{ Length: > 0 }]) return setting;
        faults.Add(setting.Wrong("must be one value"));
        return null;
    }

    private ImmutableArray<string> Items(string key) => settings.GetValueOrDefault(key) is not { } setting
        ? []
        :
        [
            .. setting.Items.SelectMany(item => item.Split(
                ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
        ];

    private string? PathOf(string key) =>
        One(key) is { } setting ? Path.GetFullPath(setting.Text, setting.BasePath) : null;

    private bool Flag(string key)
    {
        if (One(key) is not { } setting) return false;
        if (bool.TryParse(setting.Text, out var value)) return value;
        faults.Add(setting.Wrong("must be true or false"));
        return false;
    }

    private int ReadNumber(string key, int otherwise, int max)
    {
        if (One(key) is not { } setting) return otherwise;
        if (int.TryParse(setting.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= max) return number;
        faults.Add(setting.Wrong($"must be a whole number from 0 to {max}"));
        return otherwise;
    }

    private ImmutableArray<IPNetwork> Networks(string key)
    {
        var networks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var item in Items(key))
        {
            if (IPNetwork.TryParse(item, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(item, out var single))
                networks.Add(new IPNetwork(single, single.GetAddressBytes().Length * 8));
            else faults.Add(settings[key].Wrong($"has '{item}', which is not a network such as 10.0.0.0/8"));
        }
        return networks.ToImmutable();
    }

    private ImmutableArray<string> Folders(string key)
    {
        var folders = ImmutableArray.CreateBuilder<string>();
        foreach (var item in Items(key))
        {
            if (item.StartsWith('/') && item.Length > 1) folders.Add(Path.GetFullPath(item));
            else faults.Add(settings[key].Wrong($"has '{item}', which is no absolute path of a folder"));
        }
        return folders.ToImmutable();
    }

    private string? ReadSecretFile(Setting setting, string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            faults.Add(setting.Wrong($"cannot be read: {unreadable.Message}"));
            return null;
        }
    }
}
