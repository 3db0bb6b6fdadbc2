using Groundwork.Wire;

namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>
/// What a listener's configuration must keep to, so that nothing is reachable from outside by accident.
/// </summary>
internal static class ListenerRules
{
    public static void Check(
        IReadOnlyCollection<ListenerDefinition> definitions, ListenersOptions options, ICollection<FieldFault> faults)
    {
        foreach (var duplicate in definitions.GroupBy(definition => definition.Name).Where(group => group.Count() > 1))
            throw new ArgumentException($"Two modules declare the listener '{duplicate.Key}'.", nameof(definitions));
        foreach (var name in options.ByName.Keys.Order(StringComparer.Ordinal))
            if (definitions.All(definition => definition.Name != name))
                faults.Add(new FieldFault(
                    $"listeners.{name}",
                    "is not a listener of the modules that run here: "
                    + $"{string.Join(", ", definitions.Select(known => known.Name))}"));
        foreach (var definition in definitions) Check(definition, For(definition, options), faults);
    }

    public static ListenerOptions For(ListenerDefinition definition, ListenersOptions options) =>
        options.ByName.GetValueOrDefault(definition.Name) ?? new ListenerOptions();

    /// <summary>True when it has an address of its own: it is not off, and not on another listener alone.</summary>
    public static bool HasAddress(ListenerDefinition definition, ListenersOptions options) =>
        For(definition, options) is { Off: false } own
        && (definition.SharedWith is null || own.Address is not null || IsBesides(definition, options));

    /// <summary>
    /// True when its own address is open only because well-known ports are asked for: where it cannot be, the rest
    /// opens all the same.
    /// </summary>
    public static bool IsBesides(ListenerDefinition definition, ListenersOptions options) =>
        options.WellKnownPorts && definition.IsWellKnown && definition.SharedWith is not null
        && For(definition, options) is { Off: false, Address: null };

    /// <summary>The other address that is open because well-known ports are asked for; null: there is none.</summary>
    public static ListenAddress? BesidesOf(ListenerDefinition definition, ListenersOptions options) =>
        options.WellKnownPorts && definition.WellKnownAddress is { } address
        && For(definition, options) is { Off: false, Address: null }
            ? ListenAddress.Parse(address, $"The well-known address of {definition.Name},")
            : null;

    public static ListenAddress AddressOf(ListenerDefinition definition, ListenerOptions options) =>
        options.Address ?? ListenAddress.Parse(definition.DefaultAddress, $"The default address of {definition.Name},");

    private static void Check(ListenerDefinition definition, ListenerOptions options, ICollection<FieldFault> faults)
    {
        var path = $"listeners.{definition.Name}";
        if (options.Off)
        {
            if (!definition.CanBeOff) faults.Add(new FieldFault(path, "cannot be off: the node is reached by it"));
            else if (options != new ListenerOptions { Off = true })
                faults.Add(new FieldFault(path, "is off, and takes nothing else"));
            return;
        }
        if (definition.SharedWith is not null && options.Address is null)
        {
            if (options != new ListenerOptions())
                faults.Add(new FieldFault(
                    path, $"needs an address; without one it is served by the listener {definition.SharedWith} alone"));
            return;
        }
        if (options.Tls is not null && !options.TlsTerminatedBy.IsEmpty)
            faults.Add(new FieldFault(
                $"{path}.tlsTerminatedBy", "cannot stand beside tls: either we end TLS or a proxy does"));
        if (options.Plain && !definition.MayBindPlain)
            faults.Add(new FieldFault(
                $"{path}.plain", "is not for this listener: set tls, or tlsTerminatedBy with the proxies in front"));
        if (definition.Protocol is ListenerProtocol.Sockets
            && (options.Tls is not null || !options.TlsTerminatedBy.IsEmpty))
            faults.Add(new FieldFault(path, "passes bytes on: TLS ends, where it should, in a tcp-route"));
        if (definition.Protocol is ListenerProtocol.Datagrams
            && (options.Tls is not null || !options.TlsTerminatedBy.IsEmpty))
            faults.Add(new FieldFault(path, "speaks in clear, and takes neither tls nor tlsTerminatedBy"));
        if (options.Plain && options.Tls is not null)
            faults.Add(new FieldFault($"{path}.plain", "contradicts tls"));
        if (definition.IsSecure && (options.Plain || !options.TlsTerminatedBy.IsEmpty))
            faults.Add(new FieldFault(path, "always speaks TLS, and takes neither plain nor tlsTerminatedBy"));
        if (AddressOf(definition, options).IsLoopback || options.Tls is not null || !options.TlsTerminatedBy.IsEmpty
            || definition.IsSecure)
            return;
        if (!options.Plain)
            faults.Add(new FieldFault(
                $"{path}.address",
                "is reachable from other machines and needs tls or tlsTerminatedBy"
                + (definition.MayBindPlain ? ", or plain: true to serve in clear" : "")));
    }
}
