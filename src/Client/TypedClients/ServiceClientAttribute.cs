namespace Groundwork.Client;

/// <summary>
/// Makes a partial interface the client of a service: its implementation is written at compile time, and
/// <see cref="ServiceClientHosting.AddServiceClient{TClient}"/> registers it.
/// </summary>
/// <param name="service">The service's name, as in <c>http://name/</c>.</param>
[AttributeUsage(AttributeTargets.Interface, Inherited = false)]
public sealed class ServiceClientAttribute(string service) : Attribute
{
    /// <summary>The service's name.</summary>
    public string Service { get; } = service;
}

/// <summary>The method sends GET.</summary>
/// <param name="path">Begins with a slash; <c>{name}</c> stands for the parameter of that name, <c>{**name}</c> as the
/// last segment for one whose slashes stay slashes.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class GetAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>The method sends POST.</summary>
/// <param name="path">As with <see cref="GetAttribute"/>.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class PostAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>The method sends PUT.</summary>
/// <param name="path">As with <see cref="GetAttribute"/>.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class PutAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>The method sends PATCH.</summary>
/// <param name="path">As with <see cref="GetAttribute"/>.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class PatchAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>The method sends DELETE.</summary>
/// <param name="path">As with <see cref="GetAttribute"/>.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class DeleteAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>The method sends HEAD.</summary>
/// <param name="path">As with <see cref="GetAttribute"/>.</param>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class HeadAttribute(string path) : Attribute
{
    /// <summary>The path.</summary>
    public string Path { get; } = path;
}

/// <summary>
/// The parameter goes into the query: null is left out, a list is repeated (<c>tag=a&amp;tag=b</c>).
/// </summary>
/// <param name="name">Its name there; the parameter's own when not given.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class QueryAttribute(string? name = null) : Attribute
{
    /// <summary>Its name in the query.</summary>
    public string? Name { get; } = name;
}

/// <summary>The parameter becomes a header; null is left out.</summary>
/// <param name="name">The header's name; the parameter's own when not given.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class HeaderAttribute(string? name = null) : Attribute
{
    /// <summary>The header's name.</summary>
    public string? Name { get; } = name;
}

/// <summary>
/// The parameter is the request's body: JSON, or what it is when it is a <see cref="Stream"/> or an
/// <see cref="HttpContent"/>. Null sends none.
/// </summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class BodyAttribute : Attribute;
