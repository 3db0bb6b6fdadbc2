using System.Net;
using System.Net.Sockets;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire;

namespace Groundwork.Services.Settings.Protocols.Spring.Sources;

/// <summary>What sources need of the node.</summary>
/// <param name="Directory">Where copies of repositories are kept.</param>
/// <param name="FileRoots">Folders of this machine that may be read.</param>
internal sealed record SourceGround(
    string Directory, IReadOnlyCollection<string> FileRoots, AddressGuard Guard, TimeProvider Time)
{
    /// <summary>Addresses of one name that are tried.</summary>
    private const int MaxAddresses = 8;

    /// <summary>
    /// The addresses that a repository may be called at, asked of the guard as every address that others name; none for
    /// one of this machine's folders. The name is resolved here, so that the guard and the program see the same.
    /// </summary>
    public async Task<Outcome<IPAddress[]>> ResolveAsync(string address, CancellationToken cancellationToken)
    {
        if (SourceAddress.FolderOf(address) is { } folder)
        {
            return SourceAddress.ExplainFolder(folder, FileRoots) is { } forbidden
                ? new Fault(ErrorCodes.SourceUnavailable, $"{folder} cannot be read: {forbidden}.")
                : Array.Empty<IPAddress>();
        }
        var url = new Uri(address);
        IPAddress[] found;
        try
        {
            found = IPAddress.TryParse(url.DnsSafeHost, out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(url.DnsSafeHost, cancellationToken);
        }
        catch (SocketException failure)
        {
            return new Fault(ErrorCodes.SourceUnavailable, $"{url.DnsSafeHost} has no address: {failure.Message}");
        }
        var allowed = new List<IPAddress>();
        var reason = "none";
        foreach (var one in found.Take(MaxAddresses))
        {
            if (Guard.Explain(one, PortOf(url)) is { } why) reason = why;
            else allowed.Add(one);
        }
        return allowed.Count > 0
            ? allowed.ToArray()
            : new Fault(
                ErrorCodes.SourceUnavailable, $"{url.DnsSafeHost} is not called: the address is {reason}.");
    }

    public static int PortOf(Uri url) => url.Port > 0 ? url.Port : url.Scheme switch
    {
        "ssh" => 22,
        "svn" => 3690,
        "http" => 80,
        _ => 443,
    };
}
