namespace Groundwork.Services.Registry.Protocols;

/// <summary>Who registered an instance, as <see cref="ProtocolCalls.Describe"/> wrote it, taken apart.</summary>
/// <param name="Protocol">Our name of it, such as <c>nacos</c>; <see cref="Own"/> is our SDK and our API.</param>
/// <param name="Client">What the client says of itself; empty when it does not.</param>
internal sealed record Registrar(string Protocol, string Client, string Principal)
{
    /// <summary>Our own API, which our SDK speaks.</summary>
    public const string Own = "groundwork";

    private const string Between = ", ";

    /// <summary>A client may say anything; what stands before it and after it is ours, and has no comma.</summary>
    public static Registrar Of(Instance instance)
    {
        var said = instance.RegisteredBy;
        var first = said.IndexOf(Between, StringComparison.Ordinal);
        if (first < 0) return new Registrar(said, "", "");
        var last = said.LastIndexOf(Between, StringComparison.Ordinal);
        return new Registrar(
            said[..first],
            last > first ? said[(first + Between.Length)..last] : "",
            said[(last + Between.Length)..]);
    }
}
