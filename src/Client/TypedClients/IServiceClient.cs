namespace Groundwork.Client;

/// <summary>
/// What the generator adds to an interface marked <see cref="ServiceClientAttribute"/>. Nobody implements it by hand; a
/// test's own <c>ICatalog</c> inherits both members from the interface.
/// </summary>
/// <typeparam name="TSelf">The interface itself.</typeparam>
public interface IServiceClient<out TSelf>
    where TSelf : class
{
    /// <summary>The service's name.</summary>
    static abstract string Service { get; }

    /// <summary>Makes the client.</summary>
    /// <param name="connection">Sends its calls.</param>
    static abstract TSelf Create(ServiceConnection connection);
}
