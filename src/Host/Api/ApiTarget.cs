using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Groundwork.Host.CommandLine;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Host.Api;

/// <summary>The node that a verb talks to.</summary>
internal abstract record ApiTarget
{
    public const string BasePath = "groundwork/v1/";
    public const string AccessKeyVariable = "GROUNDWORK_ACCESS_KEY";

    /// <summary>The data directory of <c>up</c>, below the directory it was started in.</summary>
    public const string UpDirectory = ".groundwork";

    /// <summary>The data directory of <c>run</c>, unless configured.</summary>
    public const string SystemDirectory = "/var/lib/groundwork";

    /// <summary>The data directory, when no flag names it; the process configuration reads the same variable.</summary>
    public const string DataVariable = "GROUNDWORK_DATA";

    /// <summary>For people to read in messages.</summary>
    public abstract string Name { get; }

    public static ApiTarget Find(Surroundings surroundings, string? server, string? data)
    {
        if (server is not null && data is not null)
            throw VerbFailure.Usage("--server and --data name different nodes; give one");
        return server is null ? LocalNode.Find(surroundings, data) : RemoteNode.Parse(server);
    }

    public abstract ApiConnection Connect(Surroundings surroundings);
}

/// <summary>The node of this machine, over the socket in its data directory; it knows us by our user id.</summary>
internal sealed record LocalNode(string DataDirectory, string Socket) : ApiTarget
{
    public override string Name => DataDirectory;

    public static LocalNode Find(Surroundings surroundings, string? data)
    {
        var candidates = (data ?? surroundings.Environment(DataVariable)) is { Length: > 0 } given
            ? [given]
            : (string[])[UpDirectory, SystemDirectory];
        var directories = candidates.Select(path => Path.GetFullPath(path, surroundings.WorkingDirectory)).ToArray();
        var directory = Array.Find(directories, path => File.Exists(Path.Combine(path, NodeFile.FileName)))
            ?? throw new VerbFailure(ExitCodes.Unreachable, $"no node runs in {string.Join(" or ", directories)}")
            {
                Details =
                    ["start one with 'groundwork up DIR' or 'groundwork run', or name another with --data or --server"],
            };
        return new LocalNode(directory, SocketOf(directory));
    }

    public override ApiConnection Connect(Surroundings surroundings) => new(
        Name,
        new Uri($"http://localhost/{BasePath}"),
        new SocketsHttpHandler { UseProxy = false, ConnectCallback = (_, token) => ConnectAsync(token) },
        new NoCredential(),
        surroundings.Time);

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A node whose directory is too deep for a socket's name puts it elsewhere and says where.
    private static string SocketOf(string directory)
    {
        try
        {
            return NodeFile.Read(directory)?.ApiSocket
                ?? throw new VerbFailure(
                    ExitCodes.Unreachable, $"the node in {directory} has just stopped, or has no API");
        }
        catch (JsonException fault)
        {
            throw new VerbFailure(
                ExitCodes.Unreachable, $"{NodeFile.FileName} in {directory} is damaged: {fault.Message}");
        }
        catch (UnauthorizedAccessException)
        {
            throw new VerbFailure(
                ExitCodes.Refused, $"{directory} belongs to another user; name the node with --server");
        }
    }
}

/// <summary>A node at an address, with an access key or the sign-in that <c>login</c> has kept.</summary>
internal sealed record RemoteNode(Uri Address) : ApiTarget
{
    public override string Name => Address.GetLeftPart(UriPartial.Authority);

    public static RemoteNode Parse(string server)
    {
        var text = server.Contains("://", StringComparison.Ordinal) ? server : $"https://{server}";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw VerbFailure.Usage($"--server '{server}' is not an address such as https://core.example:7400");
        if (address.PathAndQuery != "/" || address.UserInfo.Length > 0)
            throw VerbFailure.Usage(
                "--server takes scheme, host and port only; a credential never stands on the command line");
        if (address.Scheme == "http" && !address.IsLoopback)
            throw VerbFailure.Usage($"--server {server} would send the credential in clear; use https");
        return new RemoteNode(address);
    }

    public override ApiConnection Connect(Surroundings surroundings)
    {
        ICredential credential = surroundings.Environment(AccessKeyVariable) is { Length: > 0 } key
            ? new AccessKey(key)
            : new KeptSignIn(new SignInFile(surroundings.ConfigurationDirectory, surroundings.Time), Name);
        return ConnectWith(credential, surroundings);
    }

    public ApiConnection ConnectWith(ICredential credential, Surroundings surroundings) => new(
        Name,
        new Uri(Address, BasePath),
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // A redirect would take the credential elsewhere.
            ConnectTimeout = ApiConnection.ConnectTimeout,
            AutomaticDecompression = DecompressionMethods.All,
        },
        credential,
        surroundings.Time);
}
