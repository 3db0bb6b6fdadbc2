using System.Globalization;
using System.Net;

namespace Groundwork.Client;

/// <summary>
/// A service answered a typed client with a status of failure, or with what is not the method's result. That no answer
/// came is an <see cref="HttpRequestException"/> without a status, or the cancellation.
/// </summary>
public sealed class ServiceCallException : HttpRequestException
{
    internal ServiceCallException(
        string service, string method, HttpStatusCode status, Problem problem, Exception? cause)
        : base(Say(service, method, status, problem), cause, status)
    {
        Service = service;
        Method = method;
        Code = problem.Code;
        Detail = problem.Detail;
    }

    /// <summary>The service that was called.</summary>
    public string Service { get; }

    /// <summary>Interface and method, such as <c>ICatalog.FindProductAsync</c>.</summary>
    public string Method { get; }

    /// <summary>The <c>code</c> of the problem document that the service answered; null when it has none.</summary>
    public string? Code { get; }

    /// <summary>What the problem document says, in the service's words; null when it says nothing.</summary>
    public string? Detail { get; }

    private static string Say(string service, string method, HttpStatusCode status, Problem problem)
    {
        var code = problem.Code is null ? "" : $" ({problem.Code})";
        var detail = problem.Detail is null ? "" : $": {problem.Detail}";
        return string.Create(
            CultureInfo.InvariantCulture, $"{service} answered {(int)status}{code} to {method}{detail}");
    }
}
