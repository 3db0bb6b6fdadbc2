using System.Collections.Immutable;
using System.Net;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Groundwork.Wire;

namespace Groundwork.Kernel.Tests.Hosting;

public sealed class ProcessConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    [Fact]
    public void Nothing_configured_gives_the_defaults()
    {
        var configuration = Good(Sources());
        Assert.Equal("/var/lib/groundwork", configuration.DataDirectory);
        Assert.Equal("/var/lib/groundwork/root.key", configuration.RootKeyFile);
        Assert.False(configuration.Database.IsPostgres);
        Assert.Equal("host.example", configuration.NodeName);
        Assert.Equal(TimeSpan.FromSeconds(30), configuration.Drain);
        Assert.Equal(
            ["registry", "settings", "keyvalue", "gateway", "dns"],
            configuration.Modules.InStartOrder.Select(module => module.Name));
        Assert.Empty(configuration.Listeners);
        Assert.All(configuration.Values, value => Assert.Equal("default", value.Origin));
    }

    [Fact]
    public void Flags_go_before_the_environment_and_that_before_the_file()
    {
        var file = directory.Write("conf/groundwork.yaml", """
            data: here
            nodeName: from-file
            drainSeconds: 10
            modules: [settings]
            """);
        var configuration = Good(Sources(
            file,
            new() { ["GROUNDWORK_NODE_NAME"] = "from-environment", ["GROUNDWORK_DRAIN_SECONDS"] = "20" },
            ("--drain-seconds", "drainSeconds", "40")));
        Assert.Equal(directory.Combine("conf", "here"), configuration.DataDirectory);
        Assert.Equal("from-environment", configuration.NodeName);
        Assert.Equal(40, configuration.Drain.TotalSeconds);
        Assert.Equal(
            [("data", $"{file}:1"), (
                "nodeName", "GROUNDWORK_NODE_NAME"), ("modules", $"{file}:4"), ("drainSeconds", "--drain-seconds")],
            configuration.Values.Where(value => value.Origin != "default").Select(value => (value.Key, value.Origin)));
    }

    [Fact]
    public void A_protocol_of_others_is_switched_off_by_file_or_environment_and_by_nothing_else()
    {
        var file = directory.Write("groundwork.yaml", "listeners:\n  dns: off\n  api:\n    address: 127.0.0.1:7401\n");
        var configuration = Good(Sources(file, new() { ["GROUNDWORK_LISTENERS_DOH"] = "off" }));
        Assert.True(configuration.Listeners["dns"].Off);
        Assert.True(configuration.Listeners["doh"].Off);
        Assert.False(configuration.Listeners["api"].Off);
        Assert.Contains(configuration.Values, value => value is { Key: "listeners.dns", Value: "off" });
        var wrong = directory.Write("wrong.yaml", "listeners:\n  dns: on\n");
        Assert.False(ProcessConfiguration.Read(Sources(wrong)).Succeeded);
    }

    [Fact]
    public void Listeners_are_read_from_the_file_and_the_environment()
    {
        var file = directory.Write("groundwork.yaml", """
            listeners:
              api:
                address: 10.1.2.3:7400
                tls:
                  certificateFile: api.pem
                  keyFile: /etc/keys/api.key
                hostNames: [console.internal, console]
              gateway:
                address: "[::]:8080"
                tlsTerminatedBy: [10.0.0.0/8, 192.168.1.7]
            trustedProxies: [10.0.0.0/8]
            """);
        var configuration = Good(Sources(file, new()
        {
            ["GROUNDWORK_LISTENERS_GATEWAY_ADDRESS"] =
                "127.0.0.1:8081", ["GROUNDWORK_LISTENERS_MY_EDGE_PLAIN"] = "true",
        }));
        var api = configuration.Listeners["api"];
        Assert.Equal(new ListenAddress(IPAddress.Parse("10.1.2.3"), 7400), api.Address);
        Assert.Equal(new TlsOptions(directory.Combine("api.pem"), "/etc/keys/api.key"), api.Tls);
        Assert.Equal(["console.internal", "console"], api.HostNames);
        var gateway = configuration.Listeners["gateway"];
        Assert.Equal("127.0.0.1:8081", gateway.Address.ToString());
        Assert.Equal(["10.0.0.0/8", "192.168.1.7/32"], gateway.TlsTerminatedBy.Select(network => network.ToString()));
        Assert.True(configuration.Listeners["my-edge"].Plain);
        Assert.Single(configuration.TrustedProxies);
    }

    [Fact]
    public void Every_fault_is_told_at_once_with_its_place()
    {
        var file = directory.Write("groundwork.yaml", """
            dataDirectory: /x
            drainSeconds: soon
            modules: [gatway]
            NodeName: a
            listeners:
              api:
                address: localhost
                colour: red
                tls: { certificateFile: only.pem }
              wellKnownPorts: some
            trustedProxies: [10.0.0.0/33]
            follow:
              url: https://x
            """);
        var fault = Bad(Sources(
            file,
            new() { ["GROUNDWORK_DRAIN"] = "5", ["GROUNDWORK_DATABASE"] = "oracle://scott:tiger@db" },
            ("--nonsense", "nonsense", "1")));
        Assert.Equal("configuration_invalid", fault.Error.Code);
        Assert.Equal(
            [
                "dataDirectory 1:1 is not a key of the process configuration",
                "drainSeconds 2:1 must be a whole number from 0 to 3600",
                "modules 3:1 has gatway, which is no module; there are registry, settings, keyvalue, gateway, dns",
                "NodeName 4:1 is not a key of the process configuration; did you mean nodeName?",
                "listeners.api.address 7:5 must be host:port, such as 127.0.0.1:7400",
                "listeners.api.colour 8:5 is not a key of the process configuration",
                "listeners.api.tls.certificateFile 9:12 needs the other one too: tls.certificateFile and tls.keyFile",
                "listeners.wellKnownPorts 10:3 must be true or false",
                "trustedProxies 11:1 has '10.0.0.0/33', which is not a network such as 10.0.0.0/8",
                "follow 12:1 must be a text, a number, a boolean, or a list of them",
            ],
            fault.Fields.Where(field => field.Line is not null).OrderBy(field => field.Line)
                .Select(field => $"{field.Path} {field.Line}:{field.Column} {field.Message}"));
        Assert.Equal(
            [
                "--nonsense: sets 'nonsense', which is not a key of the process configuration",
                "GROUNDWORK_DATABASE: must be sqlite, Host=…;Username=…;Database=…, or postgresql://user@host/database",
                "GROUNDWORK_DRAIN: is not a variable of the process configuration",
            ],
            fault.Fields.Where(field => field.Line is null).Select(field => $"{field.Path}: {field.Message}")
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("postgresql://ann:s3cret%21@db.example:6432/shop?sslmode=verify-full")]
    [InlineData("Host=db.example;Port=6432;Username=ann;Password=s3cret!;Database=shop;SSL Mode=VerifyFull")]
    public void Database_may_be_a_url_or_a_connection_string_and_its_password_is_masked(string text)
    {
        var configuration = Good(Sources(flags: ("--database", "database", text)));
        var connection = new Npgsql.NpgsqlConnectionStringBuilder(configuration.Database.ConnectionString);
        Assert.Equal(
            ("db.example", 6432, "ann", "s3cret!", "shop", Npgsql.SslMode.VerifyFull),
            (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database,
                connection.SslMode));
        var shown = Assert.Single(configuration.Values, value => value.Key == "database");
        Assert.Contains("db.example", shown.Value);
        Assert.DoesNotContain("s3cret", string.Join('\n', configuration.Values));
        Assert.DoesNotContain("s3cret", configuration.ToString());
    }

    [Fact]
    public void Database_may_come_from_a_file_and_only_from_one_place()
    {
        var secret = directory.Write("db.txt", "Host=db;Username=ann;Password=s3cret\n");
        Assert.True(Good(Sources(flags: ("--database-file", "databaseFile", secret))).Database.IsPostgres);
        var both = Bad(
            Sources(null, new() { ["GROUNDWORK_DATABASE"] = "sqlite" }, ("--database-file", "databaseFile", secret)));
        Assert.Contains("set one of them", Assert.Single(both.Fields).Message);
        Assert.Contains("cannot be read", Assert.Single(
            Bad(Sources(flags: ("--database-file", "databaseFile", "/none"))).Fields).Message);
    }

    [Fact]
    public void Follower_names_its_modules_and_has_no_database()
    {
        var edge = Good(
            Sources(flags: [("--follow", "follow", "https://core:7400"), ("--modules", "modules", "gateway")]));
        Assert.True(edge.IsEdge);
        Assert.Equal("gateway", Assert.Single(edge.Modules.InStartOrder).Name);

        foreach (var (key, value, message) in new[]
        {
            ("database", "sqlite", "has no use on a node that follows another"),
            ("modules", "registry", "has registry, which needs a store"),
            ("follow", "http://core:7400", "would send the access key in clear"),
            ("follow", "core:7400", "must be the address of a node's API"),
        })
        {
            var flags = new List<(string, string, string)> { (
                "--follow", "follow", "https://core:7400"), ("--modules", "modules", "gateway") };
            flags.Add(("--x", key, value));
            Assert.Contains(Bad(Sources(flags: [.. flags]))
                .Fields, field => field.Message.Contains(message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Variables_of_the_sdk_and_of_kubernetes_are_not_ours()
    {
        Assert.True(ProcessConfiguration.Read(Sources(environment: new()
        {
            ["GROUNDWORK_ADDRESS"] = "http://localhost:7400", ["GROUNDWORK_ACCESS_KEY"] = "k", ["PATH"] = "/bin",
            ["GROUNDWORK_SERVICE_HOST"] = "10.0.0.1", ["GROUNDWORK_SERVICE_PORT_API"] = "7400",
            ["GROUNDWORK_PORT"] = "tcp://10.0.0.1:7400", ["GROUNDWORK_PORT_7400_TCP_ADDR"] = "10.0.0.1",
            ["GROUNDWORK_API_SERVICE_HOST"] = "10.0.0.1", ["GROUNDWORK_NODE_NAME"] = "",
        })).Succeeded);
    }

    [Theory]
    [InlineData("a: 1\na: 2", "stands here a second time")]
    [InlineData("- a", "must be one YAML mapping")]
    [InlineData("nodeName: [a, b]", "must be one value")]
    [InlineData("nodeName: a b", "must be 1 to 128 of")]
    [InlineData("nodeName:", "must be a text")]
    [InlineData("modules: []", "names no module")]
    public void Bad_file_is_a_fault(string text, string message) =>
        Assert.Contains(
            Bad(Sources(directory.Write("groundwork.yaml", text))).Fields,
            field => field.Message.Contains(message, StringComparison.Ordinal));

    [Fact]
    public void Access_log_and_trace_headers_are_read_and_off_unless_asked_for()
    {
        var nothing = Good(Sources());
        Assert.Null(nothing.AccessLog);
        Assert.Equal(["w3c"], nothing.TraceHeaders);

        var file = directory.Write("groundwork.yaml", """
            accessLog: access.log
            accessLogFormat: combined
            accessLogMegabytes: 7
            accessLogFiles: 0
            traceHeaders: [b3, w3c]
            """);
        var some = Good(Sources(file));
        Assert.Equal(new AccessLogFile(directory.Combine("access.log"), IsCombined: true, 7, 0), some.AccessLog);
        Assert.Equal(["b3", "w3c"], some.TraceHeaders);
        Assert.Equal(
            new AccessLogFile(null, IsCombined: false, 100, 5),
            Good(Sources(flags: ("--access-log", "accessLog", "stdout"))).AccessLog);
    }

    [Fact]
    public void Bounds_of_the_gateway_are_read_and_told_with_their_origin()
    {
        var nothing = Good(Sources());
        Assert.Equal((128, 20_000), (nothing.CacheMegabytes, nothing.MaxRequestsUnderWay));
        var file = directory.Write("groundwork.yaml", "cacheMegabytes: 0\nmaxRequestsUnderWay: 500\n");
        var some = Good(Sources(file));
        Assert.Equal((0, 500), (some.CacheMegabytes, some.MaxRequestsUnderWay));
        Assert.Contains(some.Values, value => value is { Key: "cacheMegabytes", Value: "0" }
            && value.Origin.Contains("groundwork.yaml", StringComparison.Ordinal));
        Assert.Contains(nothing.Values, value => value is { Key: "maxRequestsUnderWay", Value: "20000" });
    }

    [Theory]
    [InlineData("cacheMegabytes", "-1", "must be a whole number from 0")]
    [InlineData("maxRequestsUnderWay", "0", "must be at least 1")]
    public void Bounds_of_the_gateway_that_are_none_are_told(string key, string value, string message) =>
        Assert.Contains(message, Assert.Single(Bad(Sources(flags: ($"--{key}", key, value))).Fields).Message);

    [Theory]
    [InlineData("accessLog", "/nowhere/at/all/access.log", "is in a directory that does not exist")]
    [InlineData("accessLogFormat", "xml", "must be json or combined")]
    [InlineData("accessLogMegabytes", "0", "must be at least 1")]
    [InlineData("accessLogFiles", "101", "must be a whole number from 0 to 100")]
    [InlineData("traceHeaders", "w3c,jaeger", "must be some of w3c, b3 and b3-multi")]
    public void What_is_no_access_log_or_trace_header_is_told(string key, string value, string message) =>
        Assert.Contains(message, Assert.Single(Bad(Sources(flags: ($"--{key}", key, value))).Fields).Message);

    [Fact]
    public void Each_option_has_a_variable_and_a_flag_of_its_own()
    {
        Assert.Equal("GROUNDWORK_ROOT_KEY_FILE", Option("rootKeyFile").EnvironmentName);
        Assert.Equal("--drain-seconds", Option("drainSeconds").Flag);
        Assert.Equal("GROUNDWORK_LISTENERS_NAME_TLS_CERTIFICATE_FILE", Option("listeners.NAME.tls.certificateFile")
            .EnvironmentName);
        Assert.Equal("--listeners-NAME-tls-terminated-by", Option("listeners.NAME.tlsTerminatedBy").Flag);
        Assert.Distinct(ProcessConfiguration.Options.Select(option => option.EnvironmentName));
    }

    [Theory]
    [InlineData("127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("localhost:80", "127.0.0.1:80")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData("*:80", "[::]:80")]
    [InlineData("1:80", null)]
    [InlineData("::1:80", null)]
    [InlineData("example.com:80", null)]
    [InlineData("127.0.0.1:65536", null)]
    [InlineData("127.0.0.1:-1", null)]
    [InlineData(":80", null)]
    [InlineData("127.0.0.1", null)]
    public void Address_is_read_strictly(string text, string? address)
    {
        Assert.Equal(address is not null, ListenAddress.TryParse(text, out var parsed, out _));
        if (address is not null) Assert.Equal(address, parsed.ToString());
    }

    public void Dispose() => directory.Dispose();

    private static ProcessOption Option(string key) => ProcessConfiguration.Options.Single(option => option.Key == key);

    private static ProcessConfiguration Good(ConfigurationSources sources) => ProcessConfiguration.Read(sources).Value;

    private static Fault Bad(ConfigurationSources sources)
    {
        var fault = ProcessConfiguration.Read(sources).Fault;
        Assert.NotNull(fault);
        return fault;
    }

    private ConfigurationSources Sources(
        string? file = null,
        Dictionary<string, string>? environment = null,
        params (string Flag, string Key, string Value)[] flags) => new()
        {
            File = file,
            Environment = environment ?? [],
            Flags = [.. flags.Select(flag => new ConfigurationFlag(flag.Flag, flag.Key, flag.Value))],
            WorkingDirectory = directory.Path,
            HostName = "host.example",
        };
}
