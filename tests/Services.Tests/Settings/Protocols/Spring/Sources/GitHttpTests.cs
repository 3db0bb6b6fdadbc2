using System.Globalization;
using System.Net;
using System.Text;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Protocols.Spring.Sources;
using Groundwork.Tests.Support;

namespace Groundwork.Services.Tests.Settings.Protocols.Spring.Sources;

/// <summary>A repository over HTTP, as a plain web server gives one: git reads its files.</summary>
public sealed class GitHttpTests
{
    private const string Secret = "canary-http-5fd1c0ffee";

    [Fact]
    public async Task A_repository_is_read_over_http_with_a_password()
    {
        using var git = new GitRepository();
        var commit = git.Commit(("orders.yml", "a: http\n"));
        git.Run("update-server-info");
        await using var server = new FileServer(Path.Combine(git.Folder, ".git"));
        await using var node = await SourcesNode.StartAsync();
        var spec = new ConfigSourceSpec(
            Git: server.Url("shop.git"), AllowHttp: true, Username: "bot", Password: SecretText.Of("wrong"));
        await node.SourceAsync("repo", spec);
        Assert.Equal(503, await node.StatusAsync("orders/dev"));
        await node.SourceAsync("repo", spec with { Password = SecretText.Of(Secret) });
        Assert.Equal("http", await node.ValueAsync("orders/dev", "a"));
        Assert.Equal(commit, $"{(await node.GetAsync("orders/dev")).Body["version"]}");
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        using var git = new GitRepository();
        git.Commit(("orders.yml", "a: elsewhere\n"));
        git.Run("update-server-info");
        await using var server = new FileServer(Path.Combine(git.Folder, ".git"));
        await using var node = await SourcesNode.StartAsync();
        await node.SourceAsync("repo", new ConfigSourceSpec(
            Git: server.Url("away.git"), AllowHttp: true, Username: "bot", Password: SecretText.Of(Secret)));
        Assert.Equal(503, await node.StatusAsync("orders/dev"));
        Assert.Equal(0, server.Given);
        Assert.True(server.Redirected > 0);
    }

    /// <summary>Gives the files of a folder below <c>/shop.git</c>; what is below <c>/away.git</c> is there, it says.
    /// </summary>
    private sealed class FileServer : IAsyncDisposable
    {
        private readonly HttpListener listener = new();
        private readonly int port = FreePort.Next();
        private readonly string folder;
        private readonly Task loop;

        public FileServer(string folder)
        {
            this.folder = folder;
            listener.Prefixes.Add($"http://localhost:{port.ToString(CultureInfo.InvariantCulture)}/");
            listener.Start();
            loop = Task.Run(AnswerAsync);
        }

        public int Given { get; private set; }

        public int Redirected { get; private set; }

        public string Url(string path) => $"http://localhost:{port.ToString(CultureInfo.InvariantCulture)}/{path}";

        public async ValueTask DisposeAsync()
        {
            listener.Stop();
            await loop;
            listener.Close();
        }

        private async Task AnswerAsync()
        {
            while (true)
            {
                HttpListenerContext context;
                try
                {
                    context = await listener.GetContextAsync();
                }
                catch (Exception ended) when (ended is HttpListenerException or ObjectDisposedException)
                {
                    return; // The test is over.
                }
                context.Response.StatusCode = await AnswerAsync(context);
                context.Response.Close();
            }
        }

        private async Task<int> AnswerAsync(HttpListenerContext context)
        {
            var right = Convert.ToBase64String(Encoding.UTF8.GetBytes($"bot:{Secret}"));
            if (context.Request.Headers["Authorization"] != $"Basic {right}")
            {
                context.Response.AddHeader("WWW-Authenticate", "Basic realm=\"x\"");
                return 401;
            }
            var path = context.Request.Url!.AbsolutePath; // A request has one.
            if (path.StartsWith("/away.git/", StringComparison.Ordinal))
            {
                Redirected++;
                context.Response.RedirectLocation = Url("shop.git") + path["/away.git".Length..];
                return 302;
            }
            var file = Path.Combine(folder, path["/shop.git/".Length..]);
            if (!File.Exists(file)) return 404;
            Given++;
            await context.Response.OutputStream.WriteAsync(await File.ReadAllBytesAsync(file));
            return 200;
        }
    }
}
