# Ruby's HTTP clients: ruby ruby_clients.rb NAME API SMALL OTHER URL
name, api, small, other, url = ARGV
shape = "#{api}/shape"

def show(kind, body)
  puts "#{kind}\t#{body.to_s.strip}"
end

case name
when "Faraday"
  require "faraday"
  client = Faraday.new(shape) do |f|
    f.request :multipart
    f.request :url_encoded
    f.adapter :net_http
  end
  files = [small, other].map { |path| Faraday::FilePart.new(path, "image/jpeg") }
  show "form", client.post("", { "image" => files, "url" => url }).body
  show "file", client.post("", { "image" => Faraday::FilePart.new(small, "image/jpeg") }).body
  show "url", client.post("", { "url" => url }).body
  show "array", client.post("", { "image" => [small, other].map { |path| Faraday::FilePart.new(path, "image/jpeg") } }).body
when "HTTParty"
  require "httparty"
  open_all = -> { [File.open(small), File.open(other)] }
  show "form", HTTParty.post(shape, multipart: true, body: { "image" => open_all.call, "url" => url }).body
  show "file", HTTParty.post(shape, body: { "image" => File.open(small) }).body
  show "url", HTTParty.post(shape, body: { "url" => url }).body
  show "array", HTTParty.post(shape, body: { "image" => open_all.call }).body
when "rest-client"
  require "rest-client"
  show "form", RestClient.post(shape, { "image" => [File.open(small), File.open(other)], "url" => url }).body
  show "file", RestClient.post(shape, { "image" => File.open(small) }).body
  show "url", RestClient.post(shape, { "url" => url }).body
  show "array", RestClient.post(shape, { "image" => [File.open(small), File.open(other)] }).body
when "Net::HTTP"
  require "net/http"
  uri = URI(shape)
  post = lambda do |fields|
    request = Net::HTTP::Post.new(uri)
    request.set_form(fields, "multipart/form-data")
    Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }.body
  end
  show "form", post.call([["image", File.open(small)], ["image", File.open(other)], ["url", url]])
  show "file", post.call([["image", File.open(small)]])
  show "url", Net::HTTP.post_form(uri, "url" => url).body
  show "array", post.call([["image[]", File.open(small)], ["image[]", File.open(other)]])
end
