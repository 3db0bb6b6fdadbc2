using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Communication.Tests.Gateway;

/// <summary>An instance that is a real server with one handler.</summary>
internal sealed class WebInstance : IAsyncDisposable
{
    private readonly WebApplication app;
    private int requests;

    private WebInstance(WebApplication app) => this.app = app;

    public IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

    public int Requests => Volatile.Read(ref requests);

    public static async Task<WebInstance> StartAsync(
        RequestDelegate handler, Func<string, SslServerAuthenticationOptions>? secure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server =>
        {
            server.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (secure is not null)
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = handshake => ValueTask.FromResult(secure(handshake.ClientHelloInfo.ServerName)),
                    });
            });
            server.AddServerHeader = false;
        });
        var instance = new WebInstance(builder.Build());
        instance.app.UseWebSockets();
        instance.app.Run(context =>
        {
            Interlocked.Increment(ref instance.requests);
            return handler(context);
        });
        await instance.app.StartAsync();
        instance.Address = IPEndPoint.Parse(new Uri(instance.app.Urls.First()).Authority);
        return instance;
    }

    /// <summary>Answers with its name.</summary>
    public static Task<WebInstance> NamedAsync(string name) => StartAsync(context => context.Response.WriteAsync(name));

    /// <summary>Closes as a killed process does: at once, whatever is under way.</summary>
    public Task KillAsync() => app.StopAsync(new CancellationToken(canceled: true));

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await app.DisposeAsync();
    }
}
