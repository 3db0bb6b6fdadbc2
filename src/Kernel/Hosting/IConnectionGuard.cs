using System.Net.Security;
using Microsoft.AspNetCore.Connections;

namespace Groundwork.Kernel.Hosting;

/// <summary>Decides about the connections of a listener before anything else is read of them.</summary>
public interface IConnectionGuard
{
    /// <summary>
    /// Lets a connection in by calling <paramref name="next"/>, which serves it to its end; one for which it is not
    /// called is closed.
    /// </summary>
    Task TakeAsync(ConnectionContext connection, ConnectionDelegate next);

    /// <summary>Says how TLS is spoken with it.</summary>
    /// <param name="serverName">What the client asks for; empty when it asks for nothing.</param>
    /// <param name="options">The listener's own, with the certificate of the configuration if there is one; to be
    /// added to and returned.</param>
    /// <exception cref="System.Security.Authentication.AuthenticationException">It is not: the handshake fails.
    /// </exception>
    ValueTask<SslServerAuthenticationOptions> SecureAsync(
        ConnectionContext connection, string serverName, SslServerAuthenticationOptions options);
}
