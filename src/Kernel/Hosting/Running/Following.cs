using System.Net.Http.Headers;
using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Security;
using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Running;

/// <summary>
/// Opens a node that has no store: it reads the resources of another node's API and keeps a copy on disk.
/// </summary>
internal static class Following
{
    private const string CopyFile = "followed.json";

    /// <summary>How long the first start, without a copy on disk, waits for the followed node.</summary>
    private static readonly TimeSpan FirstAnswer = TimeSpan.FromSeconds(30);

    /// <summary>Longer than a handshake over any network that works.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>After it a connection is made anew, so that a changed DNS answer is noticed.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    public static async Task<NodeCore> OpenAsync(
        NodeHostParts parts, FollowOptions follow, DataDirectory directory, KindCatalog kinds, OpenParts open,
        CancellationToken cancellationToken)
    {
        var api = ClientOf(follow);
        open.Add("client of the followed node", api);
        var started = await SnapshotFollower.StartAsync(
            api, kinds, directory.Combine(CopyFile), FirstAnswer, parts.Time, parts.Logs, cancellationToken);
        if (!started.TryGet(out var follower, out var fault)) throw new StartupException(fault);
        open.Add("follower", follower);
        var (authorizer, authenticator, following) = NodeSecurity.ForFollower(
            follower.Snapshots, directory.Path, parts.Time);
        open.Add("followed roles", following);
        return new NodeCore
        {
            Snapshots = follower.Snapshots,
            Authorizer = authorizer,
            Authenticator = authenticator,
            Followed = api,
        };
    }

    private static HttpClient ClientOf(FollowOptions follow)
    {
        var sockets = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        HttpMessageHandler handler = follow.AccessKeyFile is { } file ? new AccessKeyHandler(file, sockets) : sockets;
        // Watches have no end; each call bounds itself.
        return new HttpClient(handler) { BaseAddress = follow.Address, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>
    /// Puts the access key on every request, and reads it again when it is refused: keys are replaced by replacing the
    /// file.
    /// </summary>
    private sealed class AccessKeyHandler : DelegatingHandler
    {
        private const UnixFileMode Others =
            UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

        private readonly string file;
        private string key;

        public AccessKeyHandler(string file, HttpMessageHandler inner)
            : base(inner)
        {
            this.file = file;
            key = Read(file);
        }

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Volatile.Read(ref key));
            var answer = await base.SendAsync(request, cancellationToken);
            // The next attempt has the new key; this request's body may be spent.
            if (answer.StatusCode == System.Net.HttpStatusCode.Unauthorized) Volatile.Write(ref key, TryRead() ?? key);
            return answer;
        }

        private string? TryRead()
        {
            try
            {
                return Read(file);
            }
            catch (StartupException)
            {
                // Being replaced just now; the refusal that led here is told by the caller.
                return null;
            }
        }

        private static string Read(string file)
        {
            try
            {
                if ((File.GetUnixFileMode(file) & Others) != UnixFileMode.None)
                    throw Unusable($"{file} can be read by others; chmod 600 it.");
                return File.ReadAllText(file).Trim();
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                throw Unusable($"{file} cannot be read: {unreadable.Message}");
            }
        }

        private static StartupException Unusable(string detail) =>
            new(new Fault(ErrorCodes.ConfigurationInvalid, detail));
    }
}
